#!/usr/bin/env python3
"""Writes dewar/src/accounts/hash_formats/vectors.tsv: password hashes made by the libraries of other frameworks.

    python3 -m venv /tmp/vectors
    /tmp/vectors/bin/pip install werkzeug django libpass flask-security-too bcrypt argon2-cffi \
        flask-sqlalchemy
    /tmp/vectors/bin/python checks/password_vectors.py > dewar/src/accounts/hash_formats/vectors.tsv

`libpass` is the fork of passlib that is kept up: passlib 1.7.4 fails with bcrypt 5.

Each line has the library, the password as a JSON string, and the hash. Costs are low, so that tests are fast; the lines with
`default` have the costs that the library chooses.
"""
import base64
import hashlib
import json
import os
import struct
import sys
from importlib.metadata import version

import django
from django.conf import settings

HASHERS = "django.contrib.auth.hashers."
settings.configure(
    PASSWORD_HASHERS=[
        HASHERS + name
        for name in (
            "PBKDF2PasswordHasher",
            "PBKDF2SHA1PasswordHasher",
            "Argon2PasswordHasher",
            "BCryptSHA256PasswordHasher",
            "BCryptPasswordHasher",
            "ScryptPasswordHasher",
        )
    ]
)
django.setup()

import argon2
import bcrypt
from django.contrib.auth import hashers
from flask import Flask
from flask_security import SQLAlchemyUserDatastore, Security
from flask_security.utils import hash_password
from werkzeug.security import generate_password_hash

PLAIN = "seven green kettles sing"
UNICODE = "caf\u00e9 M\u00fcller \u9375 \U0001f511"  # composed; NFKD takes it apart
SALT = "146585145368132386173505678016728509634"


def line(library, password, stored):
    print(f"{library}\t{json.dumps(password)}\t{stored}")


def werkzeug():
    for password in (PLAIN, UNICODE, "x" * 100, ""):
        for method in ("scrypt:1024:8:1", "pbkdf2:sha1:1000", "pbkdf2:sha256:1000", "pbkdf2:sha512:1000"):
            line("werkzeug", password, generate_password_hash(password, method))
    line("werkzeug default", PLAIN, generate_password_hash(PLAIN))
    line("werkzeug default", PLAIN, generate_password_hash(PLAIN, "pbkdf2"))


def of_django():
    class Quick(hashers.ScryptPasswordHasher):
        work_factor = 2**10
        parallelism = 2

    class QuickArgon2(hashers.Argon2PasswordHasher):
        time_cost, memory_cost, parallelism = 1, 64, 2

    class QuickBcrypt(hashers.BCryptPasswordHasher):
        rounds = 4

    class QuickBcryptSha256(hashers.BCryptSHA256PasswordHasher):
        rounds = 4

    for password in (PLAIN, UNICODE, "x" * 100):
        line("django", password, hashers.PBKDF2PasswordHasher().encode(password, "saltSALT12345678", 1000))
        line("django", password, hashers.PBKDF2SHA1PasswordHasher().encode(password, "saltSALT12345678", 1000))
        line("django", password, Quick().encode(password, "saltSALT12345678"))
        line("django", password, QuickArgon2().encode(password, "saltSALT12345678"))
        quick = QuickBcryptSha256()
        line("django", password, quick.encode(password, quick.salt()))
    quick = QuickBcrypt()
    line("django", PLAIN, quick.encode(PLAIN, quick.salt()))
    for name in ("pbkdf2_sha256", "pbkdf2_sha1", "argon2", "bcrypt_sha256", "bcrypt", "scrypt"):
        line("django default", PLAIN, hashers.make_password(PLAIN, hasher=name))


def of_passlib():
    from passlib import hash as schemes

    for password in (PLAIN, UNICODE, "x" * 100):
        for scheme in (schemes.pbkdf2_sha1, schemes.pbkdf2_sha256, schemes.pbkdf2_sha512):
            line("passlib", password, scheme.using(rounds=1000).hash(password))
        line("passlib", password, schemes.scrypt.using(rounds=8).hash(password))
        line("passlib", password, schemes.scrypt.using(rounds=8, ident="$7$").hash(password))
        line("passlib", password, schemes.argon2.using(time_cost=1, memory_cost=64, parallelism=1).hash(password))
        line("passlib", password, schemes.argon2.using(time_cost=1, memory_cost=64, parallelism=2, type="I").hash(password))
        for revision in (1, 2):
            line("passlib", password, schemes.bcrypt_sha256.using(rounds=4, version=revision).hash(password))
    for name in ("pbkdf2_sha256", "pbkdf2_sha512", "scrypt", "argon2", "bcrypt_sha256"):
        line("passlib default", PLAIN, getattr(schemes, name).hash(PLAIN))


def of_bcrypt():
    for password in (PLAIN, UNICODE, "x" * 71, "x" * 72, "\u00fc" * 36):
        for prefix in (b"2a", b"2b"):
            stored = bcrypt.hashpw(password.encode(), bcrypt.gensalt(4, prefix)).decode()
            line("bcrypt", password, stored)
            if prefix == b"2b":
                # crypt_blowfish's name for the same algorithm, which PHP and so Laravel write.
                line("bcrypt as $2y$", password, "$2y$" + stored[4:])
    line("bcrypt default", PLAIN, bcrypt.hashpw(PLAIN.encode(), bcrypt.gensalt()).decode())


def of_argon2():
    for kind in argon2.Type:
        hasher = argon2.PasswordHasher(time_cost=2, memory_cost=64, parallelism=2, type=kind)
        line("argon2-cffi", UNICODE, hasher.hash(UNICODE))
    line("argon2-cffi default", PLAIN, argon2.PasswordHasher().hash(PLAIN))


def flask_security():
    """Its own `hash_password`, after the normalization that its forms do."""
    import unicodedata

    from flask_sqlalchemy import SQLAlchemy
    from flask_security.models import fsqla_v3 as fsqla

    quick = {
        "bcrypt": {"bcrypt__rounds": 4},
        "argon2": {"argon2__time_cost": 1, "argon2__memory_cost": 64, "argon2__parallelism": 1},
        "pbkdf2_sha512": {"pbkdf2_sha512__rounds": 1000},
    }
    for scheme, options in quick.items():
        app = Flask("vectors")
        app.config.update(
            SECRET_KEY="vectors",
            SECURITY_PASSWORD_SALT=SALT,
            SECURITY_PASSWORD_HASH=scheme,
            SECURITY_PASSWORD_HASH_PASSLIB_OPTIONS=options,
            SQLALCHEMY_DATABASE_URI="sqlite://",
        )
        db = SQLAlchemy(app)

        class Base(db.Model):
            __abstract__ = True

        fsqla.FsModels.set_db_info(db)
        Role = type("Role", (db.Model, fsqla.FsRoleMixin), {})
        User = type("User", (db.Model, fsqla.FsUserMixin), {})
        Security(app, SQLAlchemyUserDatastore(db, User, Role))
        with app.app_context():
            for password in (PLAIN, UNICODE, "x" * 100):
                normalized = unicodedata.normalize("NFKD", password)
                line("flask-security", password, hash_password(normalized))


def asp_net():
    """The format of ASP.NET Core Identity v3 as its source documents it (src/Identity/Extensions.Core/src/PasswordHasher.cs):
    { 0x01, prf, iterations, length of the salt, salt, subkey }, numbers of 32 bits, big endian."""
    for password in (PLAIN, UNICODE):
        for prf, name, iterations in ((0, "sha1", 1000), (1, "sha256", 10000), (2, "sha512", 1000)):
            salt = os.urandom(16)
            subkey = hashlib.pbkdf2_hmac(name, password.encode(), salt, iterations, 32)
            head = struct.pack(">BIII", 1, prf, iterations, len(salt))
            line("asp.net", password, base64.b64encode(head + salt + subkey).decode())


libraries = ("werkzeug", "django", "libpass", "bcrypt", "argon2-cffi", "flask-security-too")
made = ", ".join(f"{name} {version(name)}" for name in libraries)
print(f"# Made by checks/password_vectors.py with {made}; the salt of Flask-Security is {SALT}")
for make in (werkzeug, of_django, of_passlib, of_bcrypt, of_argon2, flask_security, asp_net):
    make()
print(f"made with {made}", file=sys.stderr)
