## Was der Helpdesk auf Deutsch sagt.

### Jede Seite

desk-menu = Menü
tickets = Anfragen
queue = Warteschlange
people = Personen
tokens = API-Schlüssel
save = Speichern
saved = Gespeichert.
cancel = Abbrechen
title = Titel
assignee = Zuständig
assignee-none = niemand
opened = Eröffnet
active = Letzter Text
name = Name
email = E-Mail-Adresse
status = Stand
    .is-open = Offen
    .is-waiting = Wartet auf die Kundschaft
    .is-closed = Geschlossen
priority = Dringlichkeit
    .is-low = Niedrig
    .is-normal = Normal
    .is-high = Hoch
staff = Rollen
    .is-customer = Kundschaft
    .is-agent = Bearbeitung
    .is-administrator = Verwaltung

### Die Startseite

front-welcome = Willkommen, { $name }.
front-lead = Sagen Sie uns, was nicht geht. Wir antworten hier und per Brief.

### Anfragen

tickets-new = Neue Anfrage
tickets-open = Anfrage eröffnen
tickets-opened = Ihre Anfrage ist eröffnet.
tickets-edit = Zuteilen oder schließen
tickets-all = Alle
tickets-none = Hier gibt es keine Anfragen.
tickets-changed = Die Anfrage wurde inzwischen geändert. Ihre Änderungen sind nicht gespeichert: Sehen Sie sie an, und senden Sie sie noch einmal.
queue-caption = Offene Anfragen, die längste Wartezeit zuerst
queue-none = Niemand wartet.
attachments = Dateien
replies = Antworten
replies-send = Senden
replies-sent = Ihre Antwort ist gesendet.
export-head = { $column ->
    [id] Nummer
    [title] Titel
    [status] Stand
    [priority] Dringlichkeit
    [owner] Kundschaft
    [assignee] Zuständig
   *[other] { $column }
 }

### Personen

people-nobody = Niemand hat ein Konto mit dieser Adresse.

### Briefe

letter-replied = Re: { $title }
    .lead = { $desk } hat auf Ihre Anfrage geantwortet:
    .answer = Antworten Sie hier:
    .password = Wenn Sie noch kein Passwort haben, wählen Sie hier eines:

### Formulare

new-ticket-title = Titel
new-ticket-priority = Dringlichkeit
new-ticket-description = Was geht nicht?
new-ticket-file = Datei
edit-ticket-priority = Dringlichkeit
edit-ticket-status = Stand
edit-ticket-assignee = Zuständig
new-reply-body = Ihre Antwort
new-reply-file = Datei
new-roles-email = E-Mail-Adresse
new-roles-roles = Rollen
