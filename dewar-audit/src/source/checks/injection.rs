//! A value of a request reaches an interpreter.

use super::checks;

checks! {
    INJECTION;
    SQL: "source-sql-injection", Database, Critical, 89, ["1.2.4"],
        "A value of a request becomes part of an SQL statement",
        "An attacker reads, changes or deletes any record, and signs in as anybody.",
        "Bind the value: cursor.execute(\"SELECT … WHERE id = ?\", (id,)), text(\"… :id\").bindparams(id=id), or a query of the ORM.";
    NOSQL: "source-nosql-injection", Database, High, 943, ["1.2.4"],
        "A JSON value of a request becomes a query of a document database",
        "An operator such as {\"$ne\": null} in place of a text matches every document.",
        "Convert the value: {\"name\": str(value)}.";
    COMMAND: "source-command-injection", Forms, Critical, 78, ["1.2.5"],
        "A value of a request becomes part of a command line",
        "An attacker runs programs on the server.",
        "Pass a list without a shell: subprocess.run([\"ping\", host]), and check the value against a list.";
    CODE: "source-code-injection", Forms, Critical, 94, ["1.3.2"],
        "A value of a request is run as Python",
        "An attacker runs code in the application.",
        "Remove eval and exec; ast.literal_eval or json.loads read data.";
    DESERIALIZE: "source-deserialization", Forms, Critical, 502, ["1.5.2"],
        "A value of a request is deserialised by a format that can run code",
        "pickle, marshal, jsonpickle and full YAML create any object while they read, so an attacker runs code.",
        "Use json.loads or yaml.safe_load.";
    TEMPLATE: "source-template-injection", Forms, Critical, 1336, ["1.3.7"],
        "A value of a request becomes part of a template's source",
        "An attacker writes template expressions, which reach Python's objects and run code.",
        "Pass the value as a variable: render_template_string(\"{{ name }}\", name=name).";
    XSS: "source-xss", Pages, High, 79, ["1.2.1"],
        "A value of a request is written into a page without escaping",
        "An attacker runs scripts in the browsers of other users, with their rights.",
        "Render a template with automatic escaping, or markupsafe.escape(value).";
    XSS_STORED: "source-xss-stored", Pages, High, 79, ["1.2.1"],
        "A stored value is written into a page without escaping",
        "What one user stored runs as a script in the browsers of the others.",
        "Remove |safe and Markup; if the value must hold HTML, clean it with nh3.clean first.";
    XSS_ATTRIBUTE: "source-xss-attribute", Pages, High, 79, ["1.2.1", "1.2.2"],
        "A value of a request becomes an attribute without quotes, or the address of a link",
        "Escaping does not help there: a space begins a new attribute, and javascript: is an address that runs.",
        "Quote the attribute, and let only http and https pass in an address.";
    PATH: "source-path-traversal", Uploads, High, 22, ["5.3.2"],
        "A value of a request becomes part of a file's path",
        "With ../ or an absolute path an attacker reads or writes files outside the folder.",
        "Use send_from_directory or werkzeug.utils.safe_join, or a name of your own.";
    UPLOAD: "source-upload-name", Uploads, High, 73, ["5.3.2"],
        "An uploaded file is stored under the name that the visitor chose",
        "The name chooses the folder and the kind: a template, a script or the configuration can be overwritten.",
        "Store it under a name of your own: secrets.token_hex(16), or secure_filename(file.filename) and a list of endings.";
    ARCHIVE: "source-archive-extraction", Uploads, High, 22, ["5.3.3"],
        "An archive is unpacked with the paths that stand in it",
        "An entry named ../../x is written outside the folder.",
        "tar.extractall(path, filter=\"data\"), and check each name.";
    REDIRECT: "source-open-redirect", Forms, Medium, 601, ["3.7.2"],
        "A value of a request chooses where the browser goes",
        "A link on your site leads to a copy of your sign-in page on another.",
        "Accept paths of your own only: url_for(…), or compare urlparse(target).netloc with a list.";
    SSRF: "source-ssrf", Forms, High, 918, ["1.3.6"],
        "A value of a request chooses the address that the server requests",
        "An attacker reads services inside your network, such as a cloud's metadata.",
        "Compare scheme and host with a list before the request, and follow no redirects.";
    XXE: "source-xxe", Forms, High, 611, ["1.5.1"],
        "XML of a request is read by a parser that resolves external entities",
        "An entity reads files of the server, or requests addresses inside your network.",
        "Use defusedxml, or XMLParser(resolve_entities=False, no_network=True).";
    LDAP: "source-ldap-injection", Forms, High, 90, ["1.2.6"],
        "A value of a request becomes part of an LDAP filter",
        "An attacker changes the filter: a * matches every account.",
        "ldap3.utils.conv.escape_filter_chars(value).";
    XPATH: "source-xpath-injection", Forms, High, 643, ["1.2.7"],
        "A value of a request becomes part of an XPath expression",
        "An attacker changes the condition and reads the whole document.",
        "Pass a variable: root.xpath(\"//user[@id=$id]\", id=id).";
    HEADER: "source-header-injection", Forms, Medium, 113, ["1.2.1"],
        "A value of a request becomes a response header",
        "The value chooses the type of the answer or sets a cookie; with a line break it begins the page.",
        "Choose the header from a list of your own.";
    LOG: "source-log-injection", Audit, Low, 117, ["16.4.1"],
        "A value of a request is written to the log as it is",
        "A line break forges an entry.",
        "Log repr(value), or as JSON.";
    TRUST: "source-trust-boundary", Sessions, Medium, 501, ["2.2.1"],
        "A value of a request is stored in the session without a check",
        "Code that reads the session takes its values for checked.",
        "Check the value against what is allowed, then store that.";
    REGEX: "source-regex-injection", Forms, Medium, 1333, ["1.2.9", "1.3.12"],
        "A value of a request becomes a regular expression",
        "A pattern such as (a+)+$ keeps the process busy for hours.",
        "re.escape(value).";
    FORMAT: "source-format-string", Forms, Medium, 134, ["1.3.10"],
        "A value of a request is used as a format string",
        "{0.__class__.__init__.__globals__} reads the application's secrets.",
        "Keep the format constant, and pass the value as an argument.";
    REFLECTION: "source-reflection", Forms, High, 470, ["1.3.2"],
        "A value of a request chooses the module, class or attribute",
        "An attacker calls what the page was not meant to offer.",
        "Look the name up in a dictionary of what is allowed.";
    MASS: "source-mass-assignment", Roles, High, 915, ["15.3.3"],
        "All fields of a request are written to a record",
        "A visitor sets fields that the form does not have, such as is_admin.",
        "Name the fields: User(name=data[\"name\"], email=data[\"email\"]).";
}
