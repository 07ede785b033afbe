## Was das Framework selbst sagt. Eine Anwendung sagt es anders durch eine Nachricht mit derselben Kennung.

### Formulare

forms-missing = Bitte ausfüllen.
forms-missing-file = Wählen Sie eine Datei.
forms-not-offered = Wählen Sie einen der angebotenen Werte.
forms-altered = Diese Seite wurde unterwegs verändert. Laden Sie sie neu.
forms-too-long = Höchstens { $max } Zeichen. Es sind { $length }.
forms-text-here = Hier gehört ein Text hin.
forms-file-here = Hier gehört eine Datei hin.
forms-control = Lassen Sie das Steuerzeichen { $code } weg.
forms-direction = Lassen Sie { $code } weg: Es ändert die Richtung von Text.
forms-invisible = Lassen Sie { $code } weg: Es ist nicht zu sehen.
forms-one-line = Schreiben Sie das in eine Zeile.
forms-mixed-scripts = Schreiben Sie jedes Wort in den Buchstaben einer Schrift: „{ $word }“ mischt mehrere.
forms-choose-one = Wählen Sie eines.
forms-choose-at-least = Wählen Sie mindestens { $min }.
forms-choose-at-most = Wählen Sie höchstens { $max }.
forms-list-at-least = Füllen Sie mindestens { $min } aus.
forms-list-at-most = Füllen Sie höchstens { $max } aus.
forms-whole-number = Geben Sie eine ganze Zahl in Ziffern ein.
forms-range = Geben Sie eine Zahl von { $min } bis { $max } ein.
forms-decimal = { $places ->
    [one] Geben Sie eine Zahl mit höchstens einer Stelle hinter dem Punkt ein.
   *[other] Geben Sie eine Zahl mit höchstens { $places } Stellen hinter dem Punkt ein.
 }
forms-email = Geben Sie eine E-Mail-Adresse ein, etwa name@example.org.
forms-url = Geben Sie eine ganze Adresse ein, etwa { $scheme }://www.example.org/.
forms-url-user = Lassen Sie Name und Passwort vor dem Rechnernamen weg.
forms-telephone = Geben Sie eine Telefonnummer mit Landesvorwahl ein, etwa +41 44 668 18 00.
forms-date = Geben Sie ein Datum als Jahr, Monat und Tag ein, etwa 2027-05-31.
forms-time = Geben Sie eine Uhrzeit in Stunden und Minuten ein, etwa 09:30.
forms-date-time = Geben Sie Datum und Uhrzeit ein, etwa 2027-05-31T09:30.
forms-earliest = Wählen Sie { $first } oder später.
forms-latest = Wählen Sie { $last } oder früher.
forms-colour = Geben Sie eine Farbe als # und sechs Ziffern ein, etwa #ff8000.
forms-password-bytes = Höchstens { $max } Bytes.
forms-password-short = Mindestens { $min } Zeichen. Ein paar Wörter hintereinander sind leicht zu merken.
forms-file-kind = Das wird hier nicht angenommen. Schicken Sie { $kinds }, höchstens { $size }.
forms-file-size = Höchstens { $size }.
forms-optional = (freiwillig)
forms-choose = Bitte wählen
forms-choose-again = Wählen Sie die Datei noch einmal.
forms-summary = Etwas ist zu berichtigen:
forms-token = Dieses Formular kam nicht von einer unserer Seiten, oder die Seite war zu alt. Gehen Sie zurück, laden Sie die Seite neu und wiederholen Sie, was Sie getan haben.

### Fehler

error-bad-request = Diese Anfrage war nicht zu verstehen
    .text = Gehen Sie zurück und versuchen Sie es noch einmal.
error-unauthenticated = Bitte melden Sie sich an
    .text = Diese Seite ist für angemeldete Personen.
error-forbidden = Das dürfen Sie nicht
    .text = Ihr Konto hat darauf keinen Zugriff.
error-not-found = Hier ist nichts
    .text = Die Adresse ist vielleicht falsch, oder die Seite gibt es nicht mehr.
error-method = Das geht hier nicht
    .text = Diese Adresse nimmt diese Methode nicht an.
error-too-slow = Das hat zu lange gedauert
    .text = Die Anfrage kam zu langsam. Versuchen Sie es noch einmal.
error-too-large = Das ist zu groß
    .text = Es wurde mehr geschickt, als hier angenommen wird.
error-address-too-long = Diese Adresse ist zu lang
    .text = Kürzen Sie die Adresse und versuchen Sie es noch einmal.
error-media-type = Inhalte dieser Art werden hier nicht angenommen
    .text = Benutzen Sie das Formular auf der Seite.
error-misdirected = Das ist nicht der Rechner, nach dem Sie gefragt haben
    .text = Prüfen Sie die Adresse.
error-unprocessable = Etwas ist zu berichtigen
    .text = Prüfen Sie Ihre Eingaben und versuchen Sie es noch einmal.
error-too-many = Zu viele Versuche
    .text = Warten Sie ein wenig und versuchen Sie es dann noch einmal.
error-internal = Bei uns ist etwas schiefgegangen
    .text = Es ist notiert. Versuchen Sie es später noch einmal.
error-busy = Wir sind ausgelastet
    .text = Im Augenblick ist kein Platz. Versuchen Sie es gleich noch einmal.
error-typed = Was Sie geschrieben haben
error-front-page = Zur Startseite
error-reference = Status { $status }. Wenn Sie uns darüber schreiben, nennen Sie die Anfrage { $request }.

### Teile von Seiten

parts-breadcrumbs = Brotkrumen
parts-pages = Seiten
parts-page = Seite
parts-previous = Zurück
parts-next = Weiter

### Konten

accounts-skip = Zum Inhalt
accounts-home = Startseite
accounts-cancel = Abbrechen
accounts-sign-in = Anmelden
accounts-sign-out = Abmelden
accounts-sign-up = Registrieren
accounts-forgot-link = Ich habe mein Passwort vergessen
accounts-sign-up-link = Ich habe noch kein Konto
accounts-sign-in-link = Ich habe schon ein Konto
accounts-forgot = Passwort vergessen
    .how = Wir schicken einen Link an Ihre Adresse. Damit wählen Sie ein neues Passwort.
    .send = Link schicken
    .no-mail = Diese Website verschickt keine Post. Bitten Sie jemanden aus der Verwaltung um Hilfe.
accounts-reset = Neues Passwort wählen
    .how = Alle Sitzungen Ihres Kontos enden, und Sie melden sich mit dem neuen Passwort an.
accounts-change = Passwort ändern
accounts-change-yours = Ihr Passwort ändern
    .how = Ihre anderen Sitzungen enden, und wir schreiben an Ihre Adresse.
accounts-link-spent = Dieser Link geht nicht
    .why = Er wurde schon benutzt, oder seine Zeit ist um.
    .again = Neuen Link holen
    .restart = Starten Sie die Anwendung neu, um einen zu bekommen, solange es noch niemanden in der Verwaltung gibt.
accounts-set-up = Erstes Verwaltungskonto einrichten
    .how = Dieses Konto darf alles. Der Link zu dieser Seite geht einmal.
    .go = Einrichten
accounts-changed = Ihr Passwort wurde geändert, und Ihre anderen Sitzungen sind beendet.
accounts-changed-sign-in = Ihr Passwort wurde geändert. Bitte melden Sie sich damit an.
accounts-not-your-password = Das ist nicht Ihr Passwort.
accounts-do-not-belong = Diese Adresse und dieses Passwort gehören nicht zusammen.
accounts-letter = Wenn zu dieser Adresse ein Konto gehört, ist ein Brief unterwegs. Der Link darin geht einmal und eine Stunde lang.
accounts-first = Sie haben das erste Verwaltungskonto. Bitte melden Sie sich an.
accounts-taken = Zu dieser Adresse gibt es schon ein Konto.
accounts-signed-out = Sie sind abgemeldet.
accounts-welcome = Danke. Wenn zu dieser Adresse noch kein Konto gehörte, gibt es jetzt eines. Bitte melden Sie sich an.
accounts-welcome-letter = Danke. Wenn zu dieser Adresse noch kein Konto gehörte, gibt es jetzt eines; wir haben ihr geschrieben. Bitte melden Sie sich an.

### Felder der Konten; auf Englisch stehen sie im Programm

sign-in-email = E-Mail-Adresse
sign-in-password = Passwort
sign-up-name = Name
    .hint = Andere sehen ihn.
sign-up-email = E-Mail-Adresse
    .hint = Damit melden Sie sich an.
sign-up-password = Passwort
    .hint = Mindestens 15 Zeichen. Ein paar Wörter, die nicht zusammengehören, sind gut und leicht zu merken.
set-up-name = Name
    .hint = Andere sehen ihn.
set-up-email = E-Mail-Adresse
    .hint = Damit melden Sie sich an.
set-up-password = Passwort
    .hint = Mindestens 15 Zeichen. Ein paar Wörter, die nicht zusammengehören, sind gut und leicht zu merken.
forgot-email = E-Mail-Adresse
reset-password = Neues Passwort
    .hint = Mindestens 15 Zeichen. Ein paar Wörter, die nicht zusammengehören, sind gut und leicht zu merken.
change-password-current_password = Bisheriges Passwort
change-password-new_password = Neues Passwort
    .hint = Mindestens 15 Zeichen. Ein paar Wörter, die nicht zusammengehören, sind gut und leicht zu merken.

### Das Passwort noch einmal, und die eigenen Sitzungen

accounts-confirm = Bestätigen Sie, dass Sie es sind
    .how = Geben Sie Ihr Passwort noch einmal ein, um weiterzumachen.
    .kept = Was Sie eingegeben haben, ist aufgehoben und wird gleich danach ausgeführt.
    .go = Weiter
accounts-confirm-again = Bitte schicken Sie es noch einmal
    .why = Bestätigen Sie zuerst, dass Sie es sind. Was Sie geschickt haben, enthält Dateien oder ist zu groß, um so lange aufgehoben zu werden; geändert wurde nichts.
    .how = Bestätigen Sie zuerst. Gehen Sie dann im Browser auf die Seite zurück, von der Sie kommen, und schicken Sie es noch einmal.
    .go = Jetzt bestätigen
accounts-confirm-first = Bestätigen Sie zuerst Ihr Passwort auf der Seite /confirm. Geändert wurde nichts.
accounts-confirm-late = Das hat zu lange gedauert, und geändert wurde nichts. Gehen Sie zurück, laden Sie die Seite neu und wiederholen Sie, was Sie getan haben.
accounts-sessions = Wo Sie angemeldet sind
    .how = Jede Zeile ist ein Browser. Kennen Sie einen nicht, beenden Sie ihn und ändern Sie Ihr Passwort.
    .this = dieser hier
    .unknown = Unbekannter Browser
    .begun = Angemeldet
    .seen = Zuletzt gesehen
    .from = von { $address }
    .end = Beenden
    .end-others = Alle anderen beenden
accounts-device = { $browser } auf { $system }
accounts-session-ended = Diese Sitzung ist beendet.
accounts-sessions-ended = Alle Ihre anderen Sitzungen sind beendet.
confirm-password = Passwort
