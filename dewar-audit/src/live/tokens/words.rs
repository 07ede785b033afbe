//! Keys that people write into programs.

/// Words that stand in tutorials, templates and READMEs.
const WORDS: &str = "secret secretkey secret_key secret-key mysecret mysecretkey my_secret_key my-secret-key my_secret my-secret thisissecret \
thisisasecret thisisasecretkey this_is_a_secret_key supersecret supersecretkey super_secret_key super-secret-key super_secret super-secret \
verysecret verysecretkey very_secret topsecret topsecretkey top_secret notsosecret not_so_secret dontguess donttell dont_tell \
dev devel develop development development_key dev_key dev-key devkey debug test testing testkey test_key test-key testsecret demo example \
sample default changeme change_me change-me changethis change_this changeit please_change_me pleasechangeme replace_me replaceme todo \
key mykey my_key privatekey private_key private apikey api_key token jwt jwtsecret jwt_secret jwt-secret jwt_secret_key jwtkey session \
sessionkey session_key session_secret cookie cookiesecret flask flask_secret flasksecret flask-secret flask_secret_key django app appsecret \
app_secret application server web website site admin administrator root user guest password passw0rd password1 password123 pass passwd \
letmein welcome qwerty qwertyuiop asdf asdfasdf asdfgh zxcvbn abc abcd abcdef abcdefg abc123 hello helloworld hello_world hello123 world foo \
bar foobar foobarbaz baz spam eggs 123 1234 12345 123456 1234567 12345678 123456789 1234567890 0123456789 0000 1111 111111 123123 654321 \
monkey dragon master shadow sunshine princess iloveyou superman batman trustno1 football baseball starwars hunter2 correcthorsebatterystaple \
your_secret_key your-secret-key yoursecretkey your_secret your-256-bit-secret your-384-bit-secret your-512-bit-secret some_secret somesecret \
somesecretkey some_secret_key some_random_string randomstring random random_string random_key anything whatever something nothing none null \
undefined empty hackme hackthis insecure insecurekey vulnerable vuln unsafe weak weakkey weak_secret s3cr3t s3cret secr3t sup3rs3cr3t \
supersecretpassword secretpassword secret123 secret1234 secret1 secret! s3cr3tk3y secretsecret ilovepython python shhh shhhh keepitsecret \
keep_it_secret keyboardcat hard hardtoguess hard_to_guess hardtoguessstring blog shop store bank notes todoapp crud myapp my_app mysite prod production \
temp temporary tmp stage staging local localhost internal company jwtsecretkey HS256 signingkey signing_key sign";

/// Words alone, in other cases, with ends, repeated; and letters repeated.
pub(super) fn keys(host: &str) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    let words = WORDS.split_whitespace().chain(host.split('.'));
    for word in words {
        all.push(word.to_owned());
        all.push(word.to_uppercase());
        all.push(capital(word));
        for end in [
            "1", "12", "123", "1234", "12345", "!", "!!", "?", "_key", "-key", "key", "_secret",
            "secret", "2023", "2024", "2025", "_dev", "0",
        ] {
            all.push(format!("{word}{end}"));
            all.push(format!("{}{end}", capital(word)));
        }
        all.push(word.replace('_', " "));
        all.push(word.replace('-', " "));
        all.push(format!("{word}{word}"));
        all.push(word.chars().rev().collect());
    }
    for c in ('a'..='z').chain('A'..='Z').chain('0'..='9') {
        all.extend((1..=32).map(|length| c.to_string().repeat(length)));
    }
    for sentence in [
        "this is a secret",
        "this is a secret key",
        "my secret key",
        "super secret key",
        "super secret",
        "some secret key",
        "very secret key",
        "hard to guess string",
        "you will never guess",
        "you-will-never-guess",
        "a very secret key",
        "keep it secret, keep it safe",
        "the quick brown fox",
        "correct horse battery staple",
        "A0Zr98j/3yX R~XHH!jmN]LWX/,?RT",
        "_5#y2L\"F4Q8z\n\u{ec}]/",
    ] {
        all.push(sentence.to_owned());
        all.push(capital(sentence));
        all.push(sentence.replace(' ', ""));
        all.push(sentence.replace(' ', "_"));
        all.push(sentence.replace(' ', "-"));
    }
    all.push(String::new());
    all.sort_unstable();
    all.dedup();
    all
}

fn capital(word: &str) -> String {
    let mut chars = word.chars();
    chars
        .next()
        .map(|first| first.to_uppercase().chain(chars).collect())
        .unwrap_or_default()
}
