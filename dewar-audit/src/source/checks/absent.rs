//! Checks of protections that are missing.

use super::checks;

checks! {
    ABSENT;
    CSRF: "source-csrf-missing", Csrf, High, 352, ["3.5.1"],
        "A form is accepted without a proof that it came from your own page",
        "A page of another site sends it in the name of a signed-in visitor.",
        "flask_wtf.CSRFProtect(app), and {{ csrf_token() }} in the form.";
    CSRF_GET: "source-csrf-get", Csrf, Medium, 352, ["3.5.3"],
        "A request by GET changes something",
        "An image on any page sends it in the name of a signed-in visitor.",
        "Accept POST only, with CSRF protection.";
    CSRF_EXEMPT: "source-csrf-exempt", Csrf, Medium, 352, ["3.5.1"],
        "CSRF protection is turned off",
        "A page of another site sends the form in the name of a signed-in visitor.",
        "Remove csrf_exempt; an API that is not used by browsers authenticates by a header.";
    ACCESS: "source-access-check-missing", Roles, High, 862, ["8.2.1", "8.3.1"],
        "A route has no access check, while its siblings have one",
        "Everybody reaches it without signing in.",
        "Add the decorator that its siblings have, such as @login_required.";
    OWNER: "source-owner-missing", Roles, High, 639, ["8.2.2"],
        "A record is loaded by an id of the request, without its owner",
        "A signed-in user reads or changes the records of others by counting.",
        "Add the owner to the query: Note.query.filter_by(id=id, user_id=current_user.id).first_or_404().";
    BRUTE_FORCE: "source-sign-in-limit", Accounts, Medium, 307, ["6.3.1"],
        "Sign-in has no limit",
        "A list of common passwords is tried in minutes.",
        "@limiter.limit(\"5 per minute\") of Flask-Limiter.";
    DEFAULT_PASSWORD: "source-default-password", Accounts, High, 1392, ["6.3.2"],
        "A sign-in compares with a password of the source",
        "The password is known to everybody who has the source.",
        "Store accounts in the database, with argon2 hashes.";
}
