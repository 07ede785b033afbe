"""The settings: the defaults here, and FLASK_… in the environment over them."""

from datetime import timedelta


class Config:
    DESK_NAME = "Help desk"
    DESK_CLOSE_AFTER_DAYS = 14
    DESK_MAIL_KEY = ""
    UPLOADS = "uploads"

    SQLALCHEMY_DATABASE_URI = "sqlite:///helpdesk.sqlite"
    MAX_CONTENT_LENGTH = 6 * 1024 * 1024
    LANGUAGES = ["en", "de"]
    PREFERRED_URL_SCHEME = "https"

    SESSION_COOKIE_NAME = "__Host-session"
    SESSION_COOKIE_SECURE = True
    SESSION_COOKIE_HTTPONLY = True
    SESSION_COOKIE_SAMESITE = "Lax"
    PERMANENT_SESSION_LIFETIME = timedelta(hours=12)

    SECURITY_REGISTERABLE = True
    SECURITY_USE_REGISTER_V2 = True
    SECURITY_RECOVERABLE = True
    SECURITY_CHANGEABLE = True
    SECURITY_SEND_REGISTER_EMAIL = False
    SECURITY_RETURN_GENERIC_RESPONSES = True
    SECURITY_PASSWORD_HASH = "argon2"
    SECURITY_PASSWORD_LENGTH_MIN = 15
    SECURITY_PASSWORD_CONFIRM_REQUIRED = False
    SECURITY_LOGIN_URL = "/sign-in"
    SECURITY_LOGOUT_URL = "/sign-out"
    SECURITY_LOGOUT_METHODS = ["POST"]
    SECURITY_REGISTER_URL = "/sign-up"
    SECURITY_RESET_URL = "/forgot"
    SECURITY_CHANGE_URL = "/account/password"
    SECURITY_FRESHNESS = timedelta(minutes=15)
    SECURITY_URL_PREFIX = None

    MAIL_DEFAULT_SENDER = "desk@example.org"
    RATELIMIT_STORAGE_URI = "memory://"
    RATELIMIT_HEADERS_ENABLED = True
    SCHEDULER_TIMEZONE = "UTC"


def check(config) -> None:
    """Refuses the start with settings that are missing or out of their bounds."""
    for name in ("SECRET_KEY", "SECURITY_PASSWORD_SALT", "DESK_MAIL_KEY"):
        if len(config.get(name) or "") < 32:
            raise RuntimeError(f"FLASK_{name} needs at least 32 characters")
    if not 1 <= int(config["DESK_CLOSE_AFTER_DAYS"]) <= 365:
        raise RuntimeError("FLASK_DESK_CLOSE_AFTER_DAYS is from 1 to 365")
