## What the framework says itself. Ids are stable; an application says it otherwise by a message of the same id.

### Forms

forms-missing = Fill this in.
forms-missing-file = Choose a file.
forms-not-offered = Choose one of the values that are offered.
forms-altered = This page was changed on its way. Load it again.
forms-too-long = Use at most { $max } characters. There are { $length }.
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
forms-decimal = Enter a number in digits with at most { $places } places behind the point.
forms-email = Enter an e-mail address, such as name@example.org.
forms-url = Enter a whole address, such as { $scheme }://www.example.org/.
forms-url-user = Leave out the name and password in front of the host.
forms-telephone = Enter a telephone number with its country, such as +41 44 668 18 00.
forms-date = Enter a date as year, month and day, such as 2027-05-31.
forms-time = Enter a time in hours and minutes, such as 09:30.
forms-date-time = Enter a date and a time, such as 2027-05-31T09:30.
forms-earliest = Choose { $first } or later.
forms-latest = Choose { $last } or earlier.
forms-colour = Enter a colour as # and six digits, such as #ff8000.
forms-password-bytes = Use at most { $max } bytes.
forms-password-short = Use at least { $min } characters. A few words in a row are easy to remember.
forms-file-kind = Not accepted here. Send { $kinds }, up to { $size }.
forms-file-size = Send at most { $size }.
forms-optional = (optional)
forms-choose = Choose one
forms-choose-again = Choose the file again.
forms-summary = Something needs correcting:
forms-token = This form did not come from a page of ours, or the page was too old. Go back, load the page again and repeat what you did.

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
    .text = This address does not take this method.
error-too-slow = That took too long
    .text = The request came too slowly. Try again.
error-too-large = That is too large
    .text = More was sent than is taken here.
error-address-too-long = That address is too long
    .text = Shorten the address and try again.
error-media-type = That kind of content is not taken here
    .text = Use the form on the page.
error-misdirected = This is not the host you asked for
    .text = Check the address.
error-unprocessable = Something needs correcting
    .text = Check what you entered and try again.
error-too-many = Too many attempts
    .text = Wait a little, then try again.
error-internal = Something went wrong on our side
    .text = It has been noted. Try again later.
error-busy = We are busy
    .text = There is no room at the moment. Try again shortly.
error-typed = What you typed
error-front-page = To the front page
error-reference = Status { $status }. If you write to us about it, name the request { $request }.

### Parts of pages

parts-breadcrumbs = Breadcrumb
parts-pages = Pages
parts-page = Page
parts-previous = Previous
parts-next = Next

### Accounts

accounts-skip = Skip to the content
accounts-home = Home
accounts-cancel = Cancel
accounts-sign-in = Sign in
accounts-sign-out = Sign out
accounts-sign-up = Sign up
accounts-forgot-link = I forgot my password
accounts-sign-up-link = I have no account yet
accounts-sign-in-link = I have an account already
accounts-forgot = Forgotten password
    .how = We send a link to your address. With it you choose a new password.
    .send = Send me the link
    .no-mail = This site sends no mail. Ask an administrator for help.
accounts-reset = Choose a new password
    .how = All sessions of your account end, and you sign in with the new password.
accounts-change = Change the password
accounts-change-yours = Change your password
    .how = Your other sessions end, and we write to your address.
accounts-link-spent = This link does not work
    .why = It was used already, or its time is over.
    .again = Get a new link
    .restart = Start the application again for a new one, if there is no administrator yet.
accounts-set-up = Set up the first administrator
    .how = This account can do everything. The link to this page works once.
    .go = Set up
accounts-changed = Your password was changed, and your other sessions have ended.
accounts-changed-sign-in = Your password was changed. Please sign in with it.
accounts-not-your-password = This is not your password.
accounts-do-not-belong = This address and this password do not belong together.
accounts-letter = If this address has an account, a letter is on its way. The link in it works once and for an hour.
accounts-first = You are the first administrator. Please sign in.
accounts-taken = This address has an account already.
accounts-signed-out = You are signed out.
accounts-welcome = Thank you. If this address had no account yet, it has one now. Please sign in.
accounts-welcome-letter = Thank you. If this address had no account yet, it has one now; we have written to it. Please sign in.

### The password once more, and one's own sessions

accounts-confirm = Confirm that it is you
    .how = Enter your password once more to go on.
    .kept = What you entered is kept, and is done right after.
    .go = Go on
accounts-confirm-again = Please send it again
    .why = To go on, confirm that it is you. What you sent has files or is too large to be kept meanwhile, and nothing was changed.
    .how = Confirm first. Then go back in your browser to the page that you came from, and send it once more.
    .go = Confirm now
accounts-confirm-first = Confirm your password on the page /confirm first. Nothing was changed.
accounts-confirm-late = That took too long, and nothing was changed. Go back, load the page again and repeat what you did.
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
