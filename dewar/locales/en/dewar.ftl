## What the framework says itself. Ids are stable; an application says it otherwise by a message of the same id.

### Forms

forms-missing = Fill this in.
forms-missing-file = Choose a file.
forms-not-offered = Choose one of the values that are offered.
forms-altered = This page was changed on its way. Load it again.
forms-too-long = { $max ->
    [one] Use at most one character. There are { $length }.
   *[other] Use at most { $max } characters. There are { $length }.
 }
forms-text-here = Enter a text here.
forms-file-here = Choose a file here.
forms-control = Leave out the control character { $code }.
forms-direction = Leave out { $code }, which changes the direction of text.
forms-invisible = Leave out { $code }, which cannot be seen.
forms-one-line = Write this on one line.
forms-mixed-scripts = Write each word in the letters of one script: “{ $word }” mixes several.
forms-choose-one = Choose one.
forms-choose-at-least = Choose at least { $min }.
forms-choose-at-most = Choose at most { $max }.
forms-list-at-least = Fill in at least { $min }.
forms-list-at-most = Fill in at most { $max }.
forms-whole-number = Enter a whole number in digits.
forms-range = Enter a number from { $min } to { $max }.
forms-decimal = { $places ->
    [one] Enter a number in digits with at most one decimal place.
   *[other] Enter a number in digits with at most { $places } decimal places.
 }
forms-email = Enter an e-mail address, such as name@example.org.
forms-url = Enter a complete address, such as { $scheme }://www.example.org/.
forms-url-user = Leave out the user name and password before the host.
forms-telephone = Enter a telephone number with its country code, such as +41 44 668 18 00.
forms-telephone-country = No country has this country code. Enter the number with its country code, such as +41 44 668 18 00.
forms-date = Enter a date as year, month and day, such as 2027-05-31.
forms-time = Enter a time in hours and minutes, such as 09:30.
forms-date-time = Enter a date and a time, such as 2027-05-31T09:30.
forms-earliest = Choose { $first } or later.
forms-latest = Choose { $last } or earlier.
forms-between-hours = Choose a time from { $first } to { $last }.
forms-slug = Use small letters from a to z, digits, and single hyphens between them, such as summer-party-2.
forms-colour-hint = As # and six digits, such as #ff8000.
forms-colour = Enter a colour as # and six digits, such as #ff8000.
forms-password-bytes = { $max ->
    [one] Use at most one byte.
   *[other] Use at most { $max } bytes.
 }
forms-password-least = { $min ->
    [one] At least one character.
   *[other] At least { $min } characters.
 }
forms-password-short = { $min ->
    [one] Use at least one character. A few words in a row are easy to remember.
   *[other] Use at least { $min } characters. A few words in a row are easy to remember.
 }
forms-file-kind = Not accepted here. Send { $kinds }, up to { $size }.
forms-file-hint = { $kinds }, up to { $size }.
    .any = Up to { $size }.
forms-file-size = Send at most { $size }.
forms-optional = (optional)
forms-choose = Choose one
forms-choose-again = Choose the file again.
forms-summary = Something needs correcting:
forms-token = This form did not come from a page of ours, or the page was too old. Go back, load the page again and repeat what you did.
forms-look-again = You were signed out before this was sent. This is what you typed: check it, and send it again.
forms-token-missing = This request did not come from a page of ours, or the page was too old. Go back, load the page again and repeat what you did.
forms-page-altered = This page was changed on its way. Go back, load it again and repeat what you did.
forms-body-too-large = You sent more than this form accepts.
forms-body-short = The request ended before all of it had arrived.
forms-content-type = Send a form as application/x-www-form-urlencoded, multipart/form-data or application/json.
forms-malformed = The form could not be read. Go back, load the page again and send it once more.
forms-json = The JSON cannot be read at line { $line }, column { $column }.
forms-json-syntax = This is not valid JSON, or not UTF-8.
forms-json-object = Send one JSON object.
forms-json-string = Send a string.
forms-json-number = Send a number, without quotes.
forms-json-number-or-string = Send a number, or a string with its digits.
forms-json-boolean = Send true or false.
forms-json-array = Send an array.
forms-json-rows = Send an array of objects.
forms-json-file = JSON has no files. Send this one as multipart/form-data.
forms-json-long-name = A name is longer than the name of any field.
forms-shown-anew = It was changed since you opened this page. Look at the current version, and send this again if you still want to.
forms-record-changed = It was changed since you opened this page, or it was deleted. Nothing was done. Open the page again to see the current version.
forms-disk-full = There is no room on our disk at the moment, so nothing was stored. Keep this page open, and send it again later.
forms-files-under-way = Too many files are being uploaded at once, so none was stored. Wait a little, choose your files again and send them.
forms-files-kept = This does not fit beside the files that you have here already, so none was stored. Delete some of them, or choose smaller ones.
forms-not-counted = We cannot check now how much you sent. Wait { $seconds } seconds, then send it again.
forms-too-often = You sent too much in a short time. Wait { $seconds } seconds, then send it again.
forms-quota-full = { $most ->
    [one] You have one already, and may have no more.
   *[other] You have { $most } already, and may have no more. Delete what is no longer needed.
}
forms-sent-twice = The field “{ $name }” may come only once.
forms-unknown-field = The field “{ $name }” is not part of this form.
forms-unknown-field-near = The field “{ $name }” is not part of this form. Did you mean “{ $near }”?
forms-most-fields = { $max ->
    [one] This form may have at most one field.
   *[other] This form may have at most { $max } fields.
 }
forms-most-files = { $max ->
    [one] This form may have at most one file.
   *[other] This form may have at most { $max } files.
 }
forms-most-text = This form may have at most { $size } of text.
forms-most-bytes = This form may have at most { $size }.
forms-most-field-bytes = A field of this form may have at most { $size }.
forms-most-file-bytes = This file is larger than { $size }. Choose a smaller one.
forms-most-files-bytes = A form and its files may have at most { $size } together. Choose fewer or smaller files.
forms-query = The query of the address is not valid: { $names }.
forms-cursor = This link no longer leads to a page of the list. Open the list from its beginning.
forms-query-too-long = A query may have at most { $size }.

### Errors

error-bad-request = That request did not make sense
    .text = Go back and try again.
error-unauthenticated = Please sign in
    .text = This page is for people who have signed in.
error-forbidden = You may not do that
    .text = Your account does not have access to this.
error-not-found = There is nothing here
    .text = The address may be wrong, or the page may be gone.
error-method = That cannot be done here
    .text = This address does not accept this method.
error-method-unknown = This method is not known
    .text = No address of this site accepts it.
error-length = The length is missing
    .text = Send a Content-Length and no Transfer-Encoding.
error-expectation = That cannot be expected here
    .text = Only 100-continue can be expected.
error-too-slow = That took too long
    .text = The request came too slowly. Try again.
error-conflict = That was done already
    .text = Nothing was done a second time.
error-too-large = That is too large
    .text = You sent more than this site accepts.
error-address-too-long = That address is too long
    .text = Shorten the address and try again.
error-headers-too-large = Your browser says too much about itself
    .text = Delete this site's cookies and try again.
error-media-type = This kind of content is not accepted here
    .text = Use the form on the page.
error-misdirected = This host is not served here
    .text = Check the address.
error-unprocessable = Something needs correcting
    .text = Check what you entered and try again.
error-too-many = Too many attempts
    .text = Wait a little, then try again.
error-internal = Something went wrong on our side
    .text = It has been noted. Try again later.
error-busy = We are busy
    .text = We cannot take more requests at the moment. Try again shortly.
error-storage = We have no space left
    .text = We cannot store anything at the moment. The operators know it. Try again later.
error-typed = What you typed
error-front-page = To the front page
error-reference = Status { $status }. If you write to us about it, name the request { $request }.
webhook-unsigned = The delivery is not signed as agreed.
webhook-not-json = The delivery is not the JSON that was expected.
redirect-not-local = That address does not lead to a page of ours.

### Parts of pages

parts-breadcrumbs = Breadcrumb
parts-pages = Pages
parts-page = Page
parts-previous = Previous
parts-next = Next

### Accounts

accounts-name-alike = This name looks like that of somebody who looks after this site. Choose a clearly different one.
accounts-too-often = There were too many attempts. Wait { $minutes ->
    [one] one minute
   *[other] { $minutes } minutes
 }, then send this again.
accounts-too-often-seconds = There were too many attempts. Wait { $seconds ->
    [one] one second
   *[other] { $seconds } seconds
 }, then send this again.
accounts-skip = Skip to the content
accounts-home = Home
accounts-cancel = Cancel
accounts-sign-in = Sign in
accounts-sign-out = Sign out
accounts-signed-in = You are signed in already, as { $name }. To sign in as somebody else, sign out first.
accounts-signed-out = You were signed out before this was sent, and nothing was done.
    .kept = What you typed is kept: sign in on this page, and you can look at it and send it.
accounts-sign-up = Sign up
accounts-forgot-link = I forgot my password
accounts-sign-up-link = I have no account yet
accounts-sign-in-link = I have an account already
accounts-forgot = Forgotten password
    .how = We send a link to your address. Use it to choose a new password.
    .send = Send me the link
    .no-mail = This site sends no mail. Ask an administrator for help.
accounts-reset = Choose a new password
    .how = All sessions of your account end, and you sign in with the new password.
accounts-change = Change the password
accounts-change-yours = Change your password
    .how = Your other sessions end, and we write to your address.
accounts-link-spent = This link does not work
    .why = It was used already, or it has expired.
    .again = Get a new link
    .restart = Start the application again for a new one, if there is no administrator yet.
accounts-set-up = Set up the first administrator
    .how = This account gives roles to the others. The link to this page works once.
    .go = Set up
accounts-changed = Your password was changed, and your other sessions have ended.
accounts-changed-sign-in = Your password was changed. Please sign in with it.
accounts-not-your-password = This is not your password.
accounts-do-not-belong = This address and this password do not match.
accounts-letter = If this address has an account, we send it a letter. The link in it works once and for an hour. If no letter comes, ask again.
accounts-first = You are the first administrator. Please sign in.
accounts-taken = This address has an account already.
accounts-welcome = Thank you. If this address had no account yet, it has one now. Please sign in.
accounts-welcome-letter = Thank you. If this address had no account yet, it has one now, and we send it a letter. Please sign in.
accounts-one-administrator = One active administrator has to remain.
accounts-spent = This link was used already, or it has expired.
accounts-no-role = This role does not exist.
accounts-code-digits = Enter the digits of the code alone.
accounts-code-wrong = This code does not work. Each code works once: wait for the next one, and check the clock of your device.
accounts-sign-in-ended = That took too long. Please sign in again.
accounts-second-factor = Enter your code
    .how = Your password is right. Now enter the code of your app.
    .confirm = Enter the code of your app to continue.
    .lost = If you have lost your app and your recovery codes, ask an administrator.
accounts-factors = Second factor
    .how = An authenticator app on your telephone or computer shows a new code every 30 seconds. From then on you need it to sign in, beside your password.
    .required = Your account may do a lot here, so it needs a second factor before anything else.
    .scan = Scan this picture with the app.
    .picture = QR code for your app
    .type = If you cannot scan it, type this key into the app. On a telephone, the key opens the app.
    .add = Add the app
    .there = An authenticator app protects your account.
    .left = { $count ->
        [0] You have no recovery codes left.
        [one] You have one recovery code left.
       *[other] You have { $count } recovery codes left.
     }
    .renew = New recovery codes
    .renew-how = New codes replace the old ones.
    .remove = Remove the second factor
    .remove-how = After that, your password is enough to sign in. Your other sessions end.
    .kept = Your account may do a lot here, so the second factor cannot be removed.
accounts-factor-added = Your app was added, and your other sessions have ended.
accounts-factor-removed = The second factor was removed, and your other sessions have ended.
accounts-factor-there = Your account has an authenticator app already.
accounts-factor-late = That took too long, and nothing was changed. Load the page again and scan the new picture.
accounts-factor-required = Your account needs its second factor.
accounts-factor-first = Your account needs a second factor first. Set one up on the page { $path }. Nothing was changed.
accounts-recovery-codes = Your recovery codes
    .once = You see these codes only now.
    .how = Print them, or store them in a safe place. Each works once, in place of the code of your app.
    .done = I have stored them
accounts-guessable-about-you = This password is made of your name, your e-mail address or this site's name. Choose something that has nothing to do with them.
accounts-guessable-common = This password is on the lists of most used passwords, or put together from them. Attackers try those first. Four or five words that do not belong together work well.
accounts-guessable-repeated = This password repeats the same few characters. Four or five words that do not belong together work well.
accounts-guessable-walk = This password follows the keyboard or the alphabet. Four or five words that do not belong together work well.

### Uploads

uploads-active-extension = The name holds “.{ $extension }”, as names of programs do. Rename the file and send it again.
uploads-control = The text contains the control character { $code } in line { $line }, which no text file has. Remove it and send the file again.
uploads-damaged = This { $kind } file is damaged or incomplete.
uploads-active = The file contains something that runs or hides: a macro, a script, an embedded program. Save a copy without that and send it.
uploads-empty = The file is empty.
uploads-encrypted = The file is protected by a password. Save a copy without one and send it.
uploads-extension = The name ends in “.{ $extension }”, but the content is { $kind }.
uploads-external = The file loads something from another address when it is opened. Save a copy without that and send it.
uploads-archive-path = The archive holds a path or a link that leads out of it, or a name that systems read differently. Pack the files again without it.
uploads-archive-program = The archive holds a program or a page (“.{ $extension }”). Pack the files again without it.
uploads-bomb = The file unpacks to far more than its size suggests. Such files are not accepted.
uploads-name = The file name cannot be used. Rename the file and send it again.
uploads-not-text = The encoding of this text file is not known. Save it in UTF-8 and send it again.
uploads-page = The text begins like a web page or a script. Write another line above it and send the file again.
uploads-too-large-to-scan = The virus scanner does not take files of this size. Send a smaller one, or ask the administrator.
uploads-virus = The virus scanner found { $name } in this file. Scan your computer, and send a clean copy.
uploads-unscanned = This file waits for the virus scanner. Try again in a few minutes.
uploads-infected = The virus scanner found a virus in this file, so nobody gets it any more.
uploads-trailing = There is something after the end of the file's content. Save a fresh copy and send that.
uploads-animated = The picture is animated. Only pictures that stand still are accepted here.
uploads-frames = The animation is too long: at most { $frames } frames, and fewer of a large picture.
uploads-pixels = The picture is too large. At most { $millions } million pixels are accepted, and fewer of some kinds, such as pictures with 16 bits per channel. Save a smaller copy and send that.
uploads-slow = It takes too long to examine this file. Save a simpler or smaller copy and send that.
uploads-scans = The picture is stored in more passes than a picture needs. Save a fresh copy and send that.
uploads-unknown-kind = This kind of file is not accepted here.
uploads-busy = Your file could not be stored at the moment. Keep this page open, and send it again soon.
uploads-share = Several of your files are still being checked. Send this one afterwards.
uploads-tickets = You have started many uploads in a short time. Try again in a few minutes.
uploads-ticket-ended = The upload was started too long ago. Choose the file again.
uploads-ticket-other-file = The file did not arrive as it was announced. Choose it again.
uploads-ticket-unknown = This upload is not waiting for this form. Choose the file again.
uploads-quota = { $files ->
    [one] Your storage has no space left for this file: you may store one file of { $size }. Delete something first.
   *[other] Your storage has no space left for this file: you may store { $files } files of { $size } in total. Delete something first.
 }

### Jobs

jobs-title = Jobs
jobs-how = Work that the application does by itself. A failed job stays here for a while; you can let it run again.
jobs-states = State
jobs-failed = Failed
jobs-running = Running
jobs-waiting = Waiting
jobs-number = Number
jobs-name = Job
jobs-when = When
jobs-attempts = Attempts
jobs-problem = Problem
jobs-retry = Run again
jobs-order = Jobs, the latest first
jobs-none = No jobs in this state
jobs-not-failed = This job has not failed, or it waits already.
jobs-retried = The job waits for its next run.
jobs-full = Too much work is waiting at the moment. Please try again in a few minutes.
jobs-too-many = Too much of your work is still waiting. Please try again when it is done.

### Days and numbers

date-months = January, February, March, April, May, June, July, August, September, October, November, December
date-day = { $day } { $month } { $year }
date-moment = { $date }, { $time } UTC
number-point = { "." }
size-bytes = { $count ->
    [one] one byte
   *[other] { $count } bytes
 }

### Letters

letter-factor-added = A second factor protects your account
    .text =
        An authenticator app was added to your account just now, and every other session was ended. From now on you need its code to sign in.

        If it was not you, choose a new password at once, and ask an administrator to reset the second factor:
        { $link }
letter-factor-removed = Your account has no second factor now
    .text =
        The authenticator app and the recovery codes of your account were removed just now, and other sessions were ended.

        If it was not you, choose a new password at once:
        { $link }
letter-recovery-codes-made = You have new recovery codes
    .text =
        New recovery codes were made for your account just now. The old ones do not work any more.

        If it was not you, choose a new password at once:
        { $link }
letter-recovery-code-used = A recovery code was used
    .text =
        One of the recovery codes of your account was used just now, in place of the code of your app.

        If it was not you, choose a new password at once:
        { $link }
letter-password-changed = Your password was changed
    .text =
        The password of your account was changed just now, and every other session was ended.

        If it was not you, choose a new password at once:
        { $link }
letter-reset = Choose a new password
    .text =
        Somebody, probably you, asked for a new password for your account.

        Choose it here, within an hour; the link works once:
        { $link }

        If it was not you, do nothing: your account has not changed.
letter-sign-up-again = You have an account already
    .text =
        Somebody, probably you, wanted to make an account with this address. You have one already.

        If you do not remember its password, choose a new one:
        { $link }

        If it was not you, do nothing: your account has not changed.
letter-token-created = A program can use your account
    .text =
        An API token was made for your account just now. A program that has it acts in your name.

        If it was not you, choose a new password at once. It ends every token and every session:
        { $link }
mail-full = Too many messages wait to be sent. Try again in a few minutes.
mail-recipient-limit = This person has had many messages from here already. Try again later.
mail-unsubscribe = Leave this list?
    .what = { $address } gets no more letters of “{ $list }”.
    .go = Leave the list
    .unasked = This request does not ask to leave the list. Open the link and press the button.
mail-unsubscribed = You have left the list
    .what = { $address } gets no more letters of “{ $list }”.
mail-sender-limit = You have caused many messages already. Try again later.
letter-welcome = Your account
    .text =
        An account with this address was made just now. Sign in here:
        { $link }

        If it was not you, ask for a new password there: the account is then yours alone.

### The password once more, and one's own sessions

accounts-confirm = Confirm that it is you
    .how = Enter your password again to continue.
    .kept = What you entered is kept, and is done right after.
    .go = Go on
accounts-confirm-again = Please send it again
    .why = To continue, confirm that it is you. What you sent has files or is too large to be stored meanwhile, and nothing was changed.
    .how = Confirm first. Then go back in your browser to the page that you came from, and send it once more.
    .go = Confirm now
accounts-confirm-first = Confirm your password on the page { $path } first. Nothing was changed.
accounts-confirm-late = That took too long, and nothing was changed. Go back, load the page again and repeat what you did.
accounts-confirm-done = You have confirmed this already, and it was done then. It was not done a second time.
accounts-sessions = Where you are signed in
    .how = Each line is a browser. If you do not know one of them, end it, and change your password.
    .this = this one
    .unknown = Unknown browser
    .begun = Signed in
    .seen = Last seen
    .from = from { $address }
    .end = End
    .end-others = End all others
accounts-device = { $browser } on { $system }
accounts-session-ended = That session has ended.
accounts-sessions-ended = All your other sessions have ended.

### Sign-in with a provider

accounts-provider-sign-in = Sign in with { $provider }
accounts-provider-confirm = Confirm with { $provider }
accounts-provider-connect = Connect { $provider }
accounts-provider-leave = On to { $provider }
    .go = Continue to { $provider }
accounts-provider-late = This sign-in with { $provider } took too long, was used already, or began in another browser. Nothing was changed. Begin again here.
accounts-provider-away = { $provider } does not answer at the moment. Sign in with your password, or try again later.
accounts-provider-cancelled = You cancelled the sign-in with { $provider }. Nothing was changed.
accounts-provider-failed = The sign-in with { $provider } did not work, and nothing was changed. Try again, or sign in with your password.
accounts-provider-unverified = { $provider } has not confirmed your e-mail address. Confirm it there first, or use your password here.
accounts-provider-closed = There is no account here for you yet. Ask somebody in charge of this site to make one.
accounts-provider-no-name = Your name at { $provider } cannot be used here. Sign up on this site instead.
accounts-provider-prove = There is an account with the address { $email } already. Sign in to it first. Then you can connect { $provider } with it.
accounts-provider-another = This identity at { $provider } belongs to another account. Nothing was changed.
accounts-provider-connected = You can sign in with { $provider } from now on.
accounts-provider-many = Your account is connected with very many identities already. Disconnect one first.
accounts-provider-confirmed = You have confirmed that it is you. If you were sending a form, send it once more.
accounts-provider-disconnected = The provider is disconnected. Your sessions go on; you can end them on the page of your sessions.
accounts-provider-last-way-in = This is the only way into your account. Choose a password first, with a link for a forgotten password.
accounts-provider-waits = { $provider } says that { $email } is you. Connect it with this account, and you can sign in with { $provider }. If you did not begin this, do nothing.
accounts-providers = Sign-in with other providers
    .how = You can sign in to this account with each of these.
    .since = Connected
    .none = No provider is connected.
    .disconnect = Disconnect
letter-provider-connected = You can sign in with { $provider }
    .text =
        { $provider } was connected with your account just now. Whoever can sign in there can sign in here.

        If it was not you, choose a new password at once, and disconnect the provider on the page of your account:
        { $link }
letter-provider-disconnected = { $provider } was disconnected from your account
    .text =
        Nobody can sign in to your account with { $provider } any more.

        If it was not you, choose a new password at once:
        { $link }

api-tokens = API tokens
    .how = A token lets a program work in your name, within its scopes. Give each program its own, and revoke it when you no longer need it. A change of your password ends all of them.
    .once = This is the new token. Copy it now: it is not shown again.
    .made = Made
    .expires = Expires
    .used = Last used
    .never = never
    .none = There are no tokens.
    .new = New token
    .make = Make the token
    .revoke = Revoke
    .revoked = (revoked)
    .expired = (expired)
api-service-tokens = Tokens of services
    .how = A service's token belongs to nobody and works until it expires or is revoked. Give each service its own.
api-token-revoked = That token no longer works.
api-token-too-long = A token lasts from one to { $days } days.
api-token-too-many = There are { $most } tokens already. Revoke one that is no longer used.
api-token-no-scope = Choose at least one.
api-token-name = Write 1 to 60 characters, in one line.
api-token-missing = Send an API token in the header "Authorization: Bearer".
api-token-invalid = The token is unknown, has expired or was revoked.
api-token-malformed = The header "Authorization" cannot be read. Send it once: "Authorization: Bearer <token>".
api-token-in-address = A token does not belong into an address, because addresses are logged. Send it in the header "Authorization: Bearer", and revoke this one.
api-insufficient-scope = The token does not have the scope { $scope }.
api-needs-a-person = This works for a person's token, and not for a service's.
api-cors-refused = The scripts of this origin may not use this address.

accounts-yours = Your account
accounts-fields-save = Save
accounts-fields-saved = Your account was changed.
accounts-fields-refused = The fields of the account were refused, and nothing was changed.
