//! Checks of settings and choices in the source.

use super::checks;

checks! {
    SETTINGS;
    SECRET_KEY: "source-secret-key", Secrets, High, 321, ["13.3.1"],
        "The key that signs sessions stands in the source",
        "Whoever reads the source signs a session for any user.",
        "app.config[\"SECRET_KEY\"] = os.environ[\"SECRET_KEY\"], with a random value per installation.";
    SECRET_KEY_PROCESS: "source-secret-key-per-process", Secrets, Medium, 330, ["13.3.1"],
        "The key that signs sessions is made at each start",
        "Every restart ends all sessions, and two processes refuse each other's.",
        "Create the key once, keep it outside the source, and read it at the start.";
    SECRET: "source-hard-coded-secret", Secrets, High, 798, ["13.3.1"],
        "A password or key stands in the source",
        "Whoever reads the source, its history or a backup has it, and it cannot be changed without a release.",
        "Read it from the environment or a secret store.";
    SECRET_LOGGED: "source-secret-in-log", Audit, Medium, 532, ["16.2.5"],
        "A password or key is written to the log",
        "Whoever reads the log has it.",
        "Log that it was used, and never its value.";
    DEBUG: "source-debug", Audit, High, 489, ["13.4.2"],
        "The debugger is on",
        "Werkzeug's debugger runs Python that a visitor types, and error pages show source and settings.",
        "Remove debug=True; `flask --debug run` turns it on at your desk only.";
    DEBUG_HOST: "source-debug-exposed", Audit, Critical, 489, ["13.4.2"],
        "The debugger is on and listens on every address",
        "Everybody on the network runs Python in the application.",
        "Remove debug=True and host=\"0.0.0.0\"; a server such as gunicorn serves the application.";
    TRACE: "source-error-details", Audit, Low, 209, ["16.5.1"],
        "The text of an error is sent to the visitor",
        "It shows paths, statements and versions.",
        "Log the error with logging.exception, and answer with a text of your own.";
    CORS: "source-cors", Csrf, Medium, 942, ["3.4.2"],
        "Any site may read answers",
        "A page of another site reads what the visitor may see.",
        "CORS(app, origins=[\"https://app.example.com\"]).";
    TLS: "source-tls-verify", Https, High, 295, ["12.3.2"],
        "The certificate of the other side is not checked",
        "Anybody on the way reads and changes the traffic.",
        "Remove verify=False; name the authority: verify=\"/path/ca.pem\".";
    COOKIE: "source-cookie-flags", Sessions, Medium, 614, ["3.3.1", "3.3.4"],
        "A cookie is set without Secure",
        "It travels over plain HTTP, where anybody on the way reads it.",
        "set_cookie(name, value, secure=True, httponly=True, samesite=\"Lax\").";
    COOKIE_SCRIPT: "source-cookie-httponly", Sessions, Low, 1004, ["3.3.4"],
        "A cookie can be read by scripts",
        "A single script injection takes the session.",
        "set_cookie(name, value, httponly=True), SESSION_COOKIE_HTTPONLY = True.";
    UNSIGNED: "source-unsigned-session", Sessions, High, 565, ["7.2.1", "9.1.1"],
        "A cookie that nobody signed says who the user is",
        "A visitor changes the cookie and is somebody else.",
        "Use Flask's session, or itsdangerous.URLSafeTimedSerializer(key).";
    JWT_UNVERIFIED: "source-jwt-unverified", Sessions, Critical, 347, ["9.1.1"],
        "A token is read without checking its signature",
        "Anybody writes a token for any user.",
        "jwt.decode(token, key, algorithms=[\"HS256\"]).";
    JWT_NONE: "source-jwt-none", Sessions, Critical, 327, ["9.1.2"],
        "A token may say that it has no signature",
        "Anybody writes a token for any user.",
        "Name one algorithm, and never none.";
    JWT_KEY: "source-jwt-weak-key", Secrets, High, 321, ["13.3.1"],
        "The key that signs tokens stands in the source",
        "Whoever reads the source, or guesses the word, writes a token for any user.",
        "Read 32 random bytes from the environment or a secret store.";
    HASH: "source-weak-hash", Secrets, Medium, 328, ["11.4.1"],
        "A hash that is broken protects a value",
        "Two inputs with the same MD5 or SHA-1 can be made in seconds to days.",
        "hashlib.sha256; for a checksum without an attacker hashlib.md5(…, usedforsecurity=False).";
    PASSWORD_HASH: "source-password-hash", Accounts, High, 916, ["11.4.2"],
        "A password is hashed by a fast function",
        "A stolen table is guessed at billions of tries a second.",
        "argon2.PasswordHasher().hash(password), or werkzeug.security.generate_password_hash.";
    PASSWORD_PLAIN: "source-password-plain", Accounts, High, 256, ["11.4.2"],
        "A password is stored or compared as plain text",
        "Whoever reads the table has every password.",
        "argon2.PasswordHasher().hash(password), or werkzeug.security.generate_password_hash.";
    CIPHER: "source-weak-cipher", Secrets, Medium, 327, ["11.3.1"],
        "A cipher or mode that is broken protects a value",
        "DES, RC4 and ECB show or lose what they should hide.",
        "cryptography.hazmat.primitives.ciphers.aead.AESGCM.";
    RANDOM: "source-weak-random", Secrets, Medium, 330, ["11.5.1"],
        "A secret value comes from a random number generator that can be predicted",
        "After some outputs an attacker computes the next token.",
        "secrets.token_urlsafe(32), secrets.randbelow(n).";
    TIMING: "source-timing-compare", Secrets, Low, 208, ["11.2.4"],
        "A secret is compared by ==",
        "The time of the answer says how much of a guess was right.",
        "hmac.compare_digest(given, expected).";
    AUTOESCAPE: "source-autoescape", Pages, High, 79, ["1.2.1"],
        "Automatic escaping is off",
        "Every value of every template is HTML.",
        "jinja2.Environment(autoescape=True), and no {% autoescape false %}.";
    UPLOAD_LIMIT: "source-upload-limit", Uploads, Medium, 770, ["5.2.1"],
        "Uploads have no limit",
        "One request fills memory or disk.",
        "app.config[\"MAX_CONTENT_LENGTH\"] = 16 * 1024 * 1024.";
    UPLOAD_TYPE: "source-upload-type", Uploads, Medium, 434, ["5.2.2"],
        "An upload of any kind is accepted",
        "A page, a script or an archive is stored, and served from your own address.",
        "Check the ending against a list and the content by its first bytes.";
    TEMPFILE: "source-tempfile", Uploads, Low, 377, ["5.3.2"],
        "A temporary file has a name that can be guessed",
        "Another user of the machine creates it first.",
        "tempfile.NamedTemporaryFile or mkstemp, not mktemp.";
    BIND: "source-bind-all", Https, Low, 605, ["13.2.4"],
        "The development server listens on every address",
        "It has no TLS and no limits, and everybody on the network reaches it.",
        "Serve by gunicorn or uwsgi behind a proxy with TLS.";
    DOCKER_ROOT: "source-docker-root", Audit, Low, 250, ["13.2.2"],
        "The container runs as root",
        "Whoever breaks into the application owns the container.",
        "USER app, after a RUN useradd.";
    ENV_FILE: "source-env-file", Secrets, High, 312, ["13.3.1"],
        "A file of secrets lies in the project",
        "Whoever has the repository or the image has the secrets.",
        "Add .env to .gitignore and .dockerignore, and change the secrets.";
}
