## Was das Framework selbst sagt. Eine Anwendung sagt es anders durch eine Nachricht mit derselben Kennung.

### Formulare

forms-missing = Bitte ausfüllen.
forms-missing-file = Wählen Sie eine Datei.
forms-not-offered = Wählen Sie einen der angebotenen Werte.
forms-altered = Diese Seite wurde unterwegs verändert. Laden Sie sie neu.
forms-too-long = { $max ->
    [one] Höchstens ein Zeichen. Es sind { $length }.
   *[other] Höchstens { $max } Zeichen. Es sind { $length }.
 }
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
forms-telephone-country = Diese Landesvorwahl gehört zu keinem Land. Geben Sie die Nummer mit ihrer Landesvorwahl ein, etwa +41 44 668 18 00.
forms-date = Geben Sie ein Datum als Jahr, Monat und Tag ein, etwa 2027-05-31.
forms-time = Geben Sie eine Uhrzeit in Stunden und Minuten ein, etwa 09:30.
forms-date-time = Geben Sie Datum und Uhrzeit ein, etwa 2027-05-31T09:30.
forms-earliest = Wählen Sie { $first } oder später.
forms-latest = Wählen Sie { $last } oder früher.
forms-between-hours = Wählen Sie eine Uhrzeit von { $first } bis { $last }.
forms-slug = Verwenden Sie Kleinbuchstaben von a bis z, Ziffern und einzelne Bindestriche dazwischen, etwa sommerfest-2.
forms-colour-hint = Als # und sechs Ziffern, etwa #ff8000.
forms-colour = Geben Sie eine Farbe als # und sechs Ziffern ein, etwa #ff8000.
forms-password-bytes = { $max ->
    [one] Höchstens ein Byte.
   *[other] Höchstens { $max } Bytes.
 }
forms-password-least = { $min ->
    [one] Mindestens ein Zeichen.
   *[other] Mindestens { $min } Zeichen.
 }
forms-password-short = { $min ->
    [one] Mindestens ein Zeichen. Ein paar Wörter hintereinander sind leicht zu merken.
   *[other] Mindestens { $min } Zeichen. Ein paar Wörter hintereinander sind leicht zu merken.
 }
forms-file-kind = Das wird hier nicht angenommen. Schicken Sie { $kinds }, höchstens { $size }.
forms-file-hint = { $kinds }, höchstens { $size }.
    .any = Höchstens { $size }.
forms-file-size = Höchstens { $size }.
forms-optional = (freiwillig)
forms-choose = Bitte wählen
forms-choose-again = Wählen Sie die Datei noch einmal.
forms-summary = Etwas ist zu berichtigen:
forms-token = Dieses Formular kam nicht von einer unserer Seiten, oder die Seite war zu alt. Gehen Sie zurück, laden Sie die Seite neu und wiederholen Sie, was Sie getan haben.
forms-look-again = Sie waren abgemeldet, bevor das ankam. Das hier haben Sie geschrieben: Sehen Sie es an, und schicken Sie es noch einmal ab.
forms-token-missing = Diese Anfrage kam nicht von einer unserer Seiten, oder die Seite war zu alt. Gehen Sie zurück, laden Sie die Seite neu und wiederholen Sie, was Sie getan haben.
forms-page-altered = Diese Seite wurde unterwegs verändert. Gehen Sie zurück, laden Sie sie neu und wiederholen Sie, was Sie getan haben.
forms-body-too-large = Es wurde mehr geschickt, als hier angenommen wird.
forms-body-short = Die Anfrage brach ab, bevor alles angekommen war.
forms-content-type = Ein Formular wird als application/x-www-form-urlencoded, multipart/form-data oder application/json geschickt.
forms-malformed = Das Formular war nicht zu lesen. Gehen Sie zurück, laden Sie die Seite neu und schicken Sie es noch einmal.
forms-json = Das JSON ist in Zeile { $line }, Spalte { $column } nicht zu lesen.
forms-json-syntax = Das ist kein gültiges JSON oder kein UTF-8.
forms-json-object = Senden Sie ein JSON-Objekt.
forms-json-string = Senden Sie eine Zeichenkette.
forms-json-number = Senden Sie eine Zahl ohne Anführungszeichen.
forms-json-number-or-string = Senden Sie eine Zahl oder eine Zeichenkette mit ihren Ziffern.
forms-json-boolean = Senden Sie true oder false.
forms-json-array = Senden Sie ein Array.
forms-json-rows = Senden Sie ein Array von Objekten.
forms-json-file = JSON hat keine Dateien. Senden Sie diese als multipart/form-data.
forms-json-long-name = Ein Name ist länger als der jedes Feldes.
forms-shown-anew = Nachdem Sie diese Seite geöffnet hatten, wurde etwas geändert. Sehen Sie nach, was jetzt dort steht, und senden Sie es noch einmal, wenn Sie es noch möchten.
forms-record-changed = Nachdem Sie diese Seite geöffnet hatten, wurde etwas daran geändert, oder es ist nicht mehr da. Es wurde nichts getan. Öffnen Sie die Seite noch einmal und sehen Sie nach, was jetzt dort steht.
forms-disk-full = Auf unserer Platte ist im Augenblick kein Platz, darum wurde nichts gespeichert. Lassen Sie diese Seite offen und senden Sie sie später noch einmal.
forms-files-under-way = Zu viele Dateien sind gleichzeitig unterwegs, darum wurde keine gespeichert. Warten Sie etwas, wählen Sie Ihre Dateien neu und senden Sie sie.
forms-files-kept = Das passt nicht neben die Dateien, die Sie hier schon haben, darum wurde keine gespeichert. Löschen Sie einige davon, oder wählen Sie kleinere.
forms-not-counted = Wie viel Sie gesendet haben, lässt sich gerade nicht prüfen. Warten Sie { $seconds } Sekunden und senden Sie es dann noch einmal.
forms-too-often = Sie haben in kurzer Zeit mehr gesendet, als von einer Person angenommen wird. Warten Sie { $seconds } Sekunden und senden Sie es dann noch einmal.
forms-quota-full = { $most ->
    [one] Davon ist schon eines da, und mehr sind nicht möglich.
   *[other] Davon sind schon { $most } da, und mehr sind nicht möglich. Löschen Sie, was nicht mehr gebraucht wird.
}
forms-sent-twice = Das Feld „{ $name }“ darf nur einmal vorkommen.
forms-unknown-field = Das Feld „{ $name }“ gehört nicht zu diesem Formular.
forms-unknown-field-near = Das Feld „{ $name }“ gehört nicht zu diesem Formular. Meinten Sie „{ $near }“?
forms-most-fields = { $max ->
    [one] Ein Formular hat hier höchstens ein Feld.
   *[other] Ein Formular hat hier höchstens { $max } Felder.
 }
forms-most-files = { $max ->
    [one] Ein Formular hat hier höchstens eine Datei.
   *[other] Ein Formular hat hier höchstens { $max } Dateien.
 }
forms-most-text = Ein Formular hat hier höchstens { $size } Text.
forms-most-bytes = Ein Formular hat hier höchstens { $size }.
forms-most-field-bytes = Ein Feld dieses Formulars hat höchstens { $size }.
forms-most-file-bytes = Diese Datei ist größer als { $size }. Wählen Sie eine kleinere.
forms-most-files-bytes = Ein Formular hat mit seinen Dateien höchstens { $size }. Wählen Sie weniger oder kleinere Dateien.
forms-query = Die Adresse hat eine Abfrage, die nicht passt: { $names }.
forms-cursor = Dieser Link führt zu keiner Seite der Liste mehr. Öffnen Sie die Liste von vorne.
forms-query-too-long = Eine Abfrage hat höchstens { $size }.

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
error-method-unknown = Diese Methode ist nicht bekannt
    .text = Keine Adresse dieser Website nimmt sie an.
error-length = Die Länge fehlt
    .text = Schicken Sie Content-Length und kein Transfer-Encoding.
error-expectation = Das kann hier nicht erwartet werden
    .text = Nur 100-continue kann erwartet werden.
error-too-slow = Das hat zu lange gedauert
    .text = Die Anfrage kam zu langsam. Versuchen Sie es noch einmal.
error-conflict = Das ist schon geschehen
    .text = Es wurde nichts ein zweites Mal getan.
error-too-large = Das ist zu groß
    .text = Es wurde mehr geschickt, als hier angenommen wird.
error-address-too-long = Diese Adresse ist zu lang
    .text = Kürzen Sie die Adresse und versuchen Sie es noch einmal.
error-headers-too-large = Ihr Browser teilt zu viel über sich mit
    .text = Löschen Sie die Cookies dieser Website und versuchen Sie es noch einmal.
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
    .text = Wir können im Augenblick nicht mehr Anfragen annehmen. Versuchen Sie es gleich noch einmal.
error-storage = Wir haben keinen Speicherplatz mehr
    .text = Wir können im Augenblick nichts speichern. Die Betreiber wissen es. Versuchen Sie es später noch einmal.
error-typed = Was Sie geschrieben haben
error-front-page = Zur Startseite
error-reference = Status { $status }. Wenn Sie uns darüber schreiben, nennen Sie die Anfrage { $request }.
webhook-unsigned = Die Lieferung ist nicht unterschrieben wie vereinbart.
webhook-not-json = Die Lieferung ist nicht das JSON, das erwartet wurde.
redirect-not-local = Diese Adresse führt zu keiner unserer Seiten.

### Teile von Seiten

parts-breadcrumbs = Brotkrumen
parts-pages = Seiten
parts-page = Seite
parts-previous = Zurück
parts-next = Weiter

### Konten

accounts-name-alike = Dieser Name gleicht dem von jemandem, der diese Seite betreut. Wählen Sie einen, der davon zu unterscheiden ist.
accounts-too-often = Es waren zu viele Versuche. Warten Sie { $minutes ->
    [one] eine Minute
   *[other] { $minutes } Minuten
 } und schicken Sie dies dann noch einmal.
accounts-too-often-seconds = Es waren zu viele Versuche. Warten Sie { $seconds ->
    [one] eine Sekunde
   *[other] { $seconds } Sekunden
 } und schicken Sie dies dann noch einmal.
accounts-skip = Zum Inhalt
accounts-home = Startseite
accounts-cancel = Abbrechen
accounts-sign-in = Anmelden
accounts-sign-out = Abmelden
accounts-signed-in = Sie sind schon angemeldet, als { $name }. Um sich als jemand anderes anzumelden, melden Sie sich zuerst ab.
accounts-signed-out = Sie waren abgemeldet, bevor das ankam, und es wurde nichts ausgeführt.
    .kept = Was Sie geschrieben haben, ist aufgehoben: Melden Sie sich auf dieser Seite an, dann können Sie es ansehen und abschicken.
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
    .how = Dieses Konto gibt den anderen ihre Rollen. Der Link zu dieser Seite geht einmal.
    .go = Einrichten
accounts-changed = Ihr Passwort wurde geändert, und Ihre anderen Sitzungen sind beendet.
accounts-changed-sign-in = Ihr Passwort wurde geändert. Bitte melden Sie sich damit an.
accounts-not-your-password = Das ist nicht Ihr Passwort.
accounts-do-not-belong = Diese Adresse und dieses Passwort gehören nicht zusammen.
accounts-letter = Wenn zu dieser Adresse ein Konto gehört, schicken wir ihr einen Brief. Der Link darin geht einmal und eine Stunde lang. Wenn kein Brief kommt, fragen Sie noch einmal.
accounts-first = Sie haben das erste Verwaltungskonto. Bitte melden Sie sich an.
accounts-taken = Zu dieser Adresse gibt es schon ein Konto.
accounts-welcome = Danke. Wenn zu dieser Adresse noch kein Konto gehörte, gibt es jetzt eines. Bitte melden Sie sich an.
accounts-welcome-letter = Danke. Wenn zu dieser Adresse noch kein Konto gehörte, gibt es jetzt eines, und wir schicken ihr einen Brief. Bitte melden Sie sich an.

### Felder der Konten; auf Englisch stehen sie im Programm

sign-in-email = E-Mail-Adresse
sign-in-password = Passwort
sign-up-name = Name
    .hint = Andere sehen ihn.
sign-up-email = E-Mail-Adresse
    .hint = Damit melden Sie sich an.
sign-up-password = Passwort
    .hint = Ein paar Wörter, die nicht zusammengehören, sind gut und leicht zu merken.
set-up-name = Name
    .hint = Andere sehen ihn.
set-up-email = E-Mail-Adresse
    .hint = Damit melden Sie sich an.
set-up-password = Passwort
    .hint = Ein paar Wörter, die nicht zusammengehören, sind gut und leicht zu merken.
forgot-email = E-Mail-Adresse
reset-password = Neues Passwort
    .hint = Ein paar Wörter, die nicht zusammengehören, sind gut und leicht zu merken.
second-factor-code = Code
    .hint = Die sechs Ziffern, die Ihre App jetzt zeigt. Wenn Sie sie nicht haben, einer Ihrer Wiederherstellungscodes.
new-factor-code = Code
    .hint = Die sechs Ziffern, die die App jetzt zeigt.
change-password-current_password = Bisheriges Passwort
change-password-new_password = Neues Passwort
    .hint = Ein paar Wörter, die nicht zusammengehören, sind gut und leicht zu merken.
accounts-one-administrator = Ein aktiver Administrator muss bleiben.
accounts-spent = Dieser Link wurde schon benutzt oder ist abgelaufen.
accounts-no-role = Diese Rolle gibt es nicht.
accounts-code-digits = Geben Sie nur die Ziffern des Codes ein.
accounts-code-wrong = Dieser Code geht nicht. Jeder Code geht einmal: Warten Sie auf den nächsten, und prüfen Sie die Uhr Ihres Geräts.
accounts-sign-in-ended = Das hat zu lange gedauert. Bitte melden Sie sich noch einmal an.
accounts-second-factor = Geben Sie Ihren Code ein
    .how = Ihr Passwort stimmt. Geben Sie jetzt den Code Ihrer App ein.
    .confirm = Geben Sie den Code Ihrer App ein, um fortzufahren.
    .lost = Wenn Sie Ihre App und Ihre Wiederherstellungscodes verloren haben, fragen Sie jemanden von der Verwaltung.
accounts-factors = Zweiter Faktor
    .how = Eine Authenticator-App auf Ihrem Telefon oder Rechner zeigt alle 30 Sekunden einen neuen Code. Sie brauchen ihn dann neben dem Passwort, um sich anzumelden.
    .required = Ihr Konto darf hier viel, deshalb braucht es vor allem anderen einen zweiten Faktor.
    .scan = Lesen Sie dieses Bild mit der App ein.
    .picture = QR-Code für Ihre App
    .type = Wenn Sie es nicht einlesen können, tippen Sie diesen Schlüssel in die App. Auf einem Telefon öffnet der Schlüssel die App.
    .add = App hinzufügen
    .there = Eine Authenticator-App schützt Ihr Konto.
    .left = { $count ->
        [0] Sie haben keinen Wiederherstellungscode mehr.
        [one] Sie haben noch einen Wiederherstellungscode.
       *[other] Sie haben noch { $count } Wiederherstellungscodes.
     }
    .renew = Neue Wiederherstellungscodes
    .renew-how = Neue Codes ersetzen die alten.
    .remove = Zweiten Faktor entfernen
    .remove-how = Danach genügt Ihr Passwort, um sich anzumelden. Ihre anderen Sitzungen enden.
    .kept = Ihr Konto darf hier viel, deshalb lässt sich der zweite Faktor nicht entfernen.
accounts-factor-added = Ihre App wurde hinzugefügt, und Ihre anderen Sitzungen sind beendet.
accounts-factor-removed = Der zweite Faktor wurde entfernt, und Ihre anderen Sitzungen sind beendet.
accounts-factor-there = Ihr Konto hat schon eine Authenticator-App.
accounts-factor-late = Das hat zu lange gedauert, und nichts wurde geändert. Laden Sie die Seite neu und lesen Sie das neue Bild ein.
accounts-factor-required = Ihr Konto braucht seinen zweiten Faktor.
accounts-factor-first = Ihr Konto braucht zuerst einen zweiten Faktor. Richten Sie ihn auf der Seite { $path } ein. Nichts wurde geändert.
accounts-recovery-codes = Ihre Wiederherstellungscodes
    .once = Sie sehen diese Codes nur jetzt.
    .how = Drucken Sie sie aus, oder bewahren Sie sie an einem sicheren Ort auf. Jeder geht einmal, an der Stelle des Codes Ihrer App.
    .done = Ich habe sie aufbewahrt
accounts-guessable-about-you = Dieses Passwort besteht aus Ihrem Namen, Ihrer E-Mail-Adresse oder dem Namen dieser Seite. Wählen Sie etwas, das nichts damit zu tun hat.
accounts-guessable-common = Dieses Passwort steht auf den Listen der meistbenutzten Passwörter oder ist aus ihnen zusammengesetzt. Angreifer versuchen diese zuerst. Vier oder fünf Wörter, die nicht zusammengehören, sind gut.
accounts-guessable-repeated = Dieses Passwort wiederholt dieselben wenigen Zeichen. Vier oder fünf Wörter, die nicht zusammengehören, sind gut.
accounts-guessable-walk = Dieses Passwort folgt der Tastatur oder dem Alphabet. Vier oder fünf Wörter, die nicht zusammengehören, sind gut.

### Dateien

uploads-active-extension = Der Name enthält „.{ $extension }“, wie Namen von Programmen. Benennen Sie die Datei um und schicken Sie sie noch einmal.
uploads-control = Der Text enthält in Zeile { $line } das Steuerzeichen { $code }, das in keine Textdatei gehört. Entfernen Sie es und schicken Sie die Datei noch einmal.
uploads-damaged = Das ist keine ganze Datei der Art { $kind }.
uploads-active = Die Datei enthält etwas, das läuft oder sich verbirgt: ein Makro, ein Skript, ein eingebettetes Programm. Speichern Sie eine Kopie ohne das und schicken Sie diese.
uploads-empty = Die Datei ist leer.
uploads-encrypted = Die Datei ist durch ein Passwort geschützt. Speichern Sie eine Kopie ohne Passwort und schicken Sie diese.
uploads-extension = Der Name endet auf „.{ $extension }“, der Inhalt aber ist { $kind }.
uploads-external = Die Datei lädt etwas von anderswo, wenn sie geöffnet wird. Speichern Sie eine Kopie ohne das und schicken Sie diese.
uploads-archive-path = Das Archiv enthält einen Pfad oder eine Verknüpfung, die aus ihm hinausführt, oder einen Namen, den Systeme verschieden lesen. Packen Sie die Dateien ohne das neu.
uploads-archive-program = Das Archiv enthält ein Programm oder eine Seite („.{ $extension }“). Packen Sie die Dateien ohne das neu.
uploads-bomb = Die Datei wird ausgepackt weit größer, als sie scheint. Eine solche Datei wird nicht angenommen.
uploads-name = Der Name der Datei geht nicht. Benennen Sie die Datei um und schicken Sie sie noch einmal.
uploads-not-text = Die Kodierung dieser Textdatei ist nicht bekannt. Speichern Sie sie in UTF-8 und schicken Sie sie noch einmal.
uploads-page = Der Text beginnt so wie eine Webseite oder ein Skript. Schreiben Sie eine Zeile mit anderen Wörtern darüber und schicken Sie die Datei noch einmal.
uploads-too-large-to-scan = Der Virenscanner nimmt Dateien dieser Größe nicht an. Schicken Sie eine kleinere oder fragen Sie die Verwaltung.
uploads-virus = Der Virenscanner hat in dieser Datei { $name } gefunden. Prüfen Sie Ihren Rechner und schicken Sie eine saubere Kopie.
uploads-unscanned = Diese Datei wartet auf den Virenscanner. Versuchen Sie es in einigen Minuten noch einmal.
uploads-infected = Der Virenscanner hat in dieser Datei ein Virus gefunden, deshalb bekommt sie niemand mehr.
uploads-trailing = Nach dem Ende des Inhalts der Datei steht noch etwas. Speichern Sie eine frische Kopie und schicken Sie diese.
uploads-animated = Das Bild ist animiert. Hier werden nur unbewegte Bilder angenommen.
uploads-frames = Die Animation ist zu lang: höchstens { $frames } Einzelbilder, bei großen Bildern weniger.
uploads-pixels = Das Bild ist zu groß. Höchstens { $millions } Millionen Bildpunkte werden angenommen, bei manchen Arten weniger, etwa bei 16 Bit je Kanal. Speichern Sie eine kleinere Kopie und schicken Sie diese.
uploads-slow = Es dauert zu lange, diese Datei zu prüfen. Speichern Sie eine einfachere oder kleinere Kopie und schicken Sie diese.
uploads-scans = Das Bild ist in mehr Durchgängen gespeichert, als ein Bild braucht. Speichern Sie eine frische Kopie und schicken Sie diese.
uploads-unknown-kind = Dateien dieser Art werden hier nicht angenommen.
uploads-busy = Ihre Datei konnte gerade nicht gespeichert werden. Lassen Sie diese Seite offen und senden Sie sie gleich noch einmal.
uploads-share = Mehrere Ihrer Dateien werden gerade noch geprüft. Schicken Sie diese, wenn das erledigt ist.
uploads-tickets = Sie haben in kurzer Zeit viele Dateien hochgeladen. Versuchen Sie es in ein paar Minuten noch einmal.
uploads-ticket-ended = Das Hochladen hat zu lange gedauert. Wählen Sie die Datei noch einmal aus.
uploads-ticket-other-file = Die Datei ist nicht so angekommen, wie sie angekündigt war. Wählen Sie sie noch einmal aus.
uploads-ticket-unknown = Diese Datei wartet nicht auf dieses Formular. Wählen Sie sie noch einmal aus.
uploads-quota = { $files ->
    [one] Für diese Datei ist kein Platz mehr: Sie dürfen eine Datei von { $size } behalten. Löschen Sie erst etwas.
   *[other] Für diese Datei ist kein Platz mehr: Sie dürfen { $files } Dateien von zusammen { $size } behalten. Löschen Sie erst etwas.
 }

### Aufträge

jobs-title = Aufträge
jobs-how = Arbeit, die die Anwendung von selbst erledigt. Ein gescheiterter Auftrag bleibt eine Weile hier; Sie können ihn noch einmal ausführen lassen.
jobs-states = Zustand
jobs-failed = Gescheitert
jobs-running = In Arbeit
jobs-waiting = Wartend
jobs-number = Nummer
jobs-name = Auftrag
jobs-when = Wann
jobs-attempts = Versuche
jobs-problem = Problem
jobs-retry = Noch einmal ausführen
jobs-order = Aufträge, der neueste zuerst
jobs-none = Keine Aufträge in diesem Zustand
jobs-not-failed = Dieser Auftrag ist nicht gescheitert, oder er wartet schon.
jobs-retried = Der Auftrag wartet auf seine nächste Ausführung.
jobs-full = Im Moment wartet zu viel Arbeit. Bitte versuchen Sie es in ein paar Minuten noch einmal.
jobs-too-many = Zu viele Ihrer Aufträge warten noch. Bitte versuchen Sie es noch einmal, wenn sie erledigt sind.

### Tage und Zahlen

date-months = Januar, Februar, März, April, Mai, Juni, Juli, August, September, Oktober, November, Dezember
date-day = { $day }. { $month } { $year }
date-moment = { $date }, { $time } UTC
number-point = { "," }
size-bytes = { $count ->
    [one] ein Byte
   *[other] { $count } Bytes
 }

### Briefe

letter-factor-added = Ein zweiter Faktor schützt Ihr Konto
    .text =
        Zu Ihrem Konto wurde soeben eine Authenticator-App hinzugefügt, und jede andere Sitzung wurde beendet. Von jetzt an brauchen Sie ihren Code, um sich anzumelden.

        Wenn Sie das nicht waren, wählen Sie sofort ein neues Passwort, und bitten Sie jemanden von der Verwaltung, den zweiten Faktor zurückzusetzen:
        { $link }
letter-factor-removed = Ihr Konto hat keinen zweiten Faktor mehr
    .text =
        Die Authenticator-App und die Wiederherstellungscodes Ihres Kontos wurden soeben entfernt, und andere Sitzungen wurden beendet.

        Wenn Sie das nicht waren, wählen Sie sofort ein neues Passwort:
        { $link }
letter-recovery-codes-made = Sie haben neue Wiederherstellungscodes
    .text =
        Für Ihr Konto wurden soeben neue Wiederherstellungscodes erzeugt. Die alten gehen nicht mehr.

        Wenn Sie das nicht waren, wählen Sie sofort ein neues Passwort:
        { $link }
letter-recovery-code-used = Ein Wiederherstellungscode wurde benutzt
    .text =
        Einer der Wiederherstellungscodes Ihres Kontos wurde soeben benutzt, an der Stelle des Codes Ihrer App.

        Wenn Sie das nicht waren, wählen Sie sofort ein neues Passwort:
        { $link }
letter-password-changed = Ihr Passwort wurde geändert
    .text =
        Das Passwort Ihres Kontos wurde soeben geändert, und jede andere Sitzung wurde beendet.

        Wenn Sie das nicht waren, wählen Sie sofort ein neues Passwort:
        { $link }
letter-reset = Wählen Sie ein neues Passwort
    .text =
        Jemand, wahrscheinlich Sie, hat um ein neues Passwort für Ihr Konto gebeten.

        Wählen Sie es hier, innerhalb einer Stunde; der Link geht einmal:
        { $link }

        Wenn Sie das nicht waren, tun Sie nichts: An Ihrem Konto hat sich nichts geändert.
letter-sign-up-again = Sie haben schon ein Konto
    .text =
        Jemand, wahrscheinlich Sie, wollte mit dieser Adresse ein Konto anlegen. Sie haben schon eines.

        Wenn Sie sein Passwort nicht mehr wissen, wählen Sie ein neues:
        { $link }

        Wenn Sie das nicht waren, tun Sie nichts: An Ihrem Konto hat sich nichts geändert.
letter-token-created = Ein Programm kann Ihr Konto benutzen
    .text =
        Für Ihr Konto wurde soeben ein API-Token erstellt. Ein Programm, das es hat, handelt in Ihrem Namen.

        Wenn Sie das nicht waren, wählen Sie sofort ein neues Passwort. Es beendet jedes Token und jede Sitzung:
        { $link }
mail-full = Zu viele Nachrichten warten auf den Versand. Versuchen Sie es in einigen Minuten noch einmal.
mail-recipient-limit = Diese Person hat von hier schon viele Nachrichten erhalten. Versuchen Sie es später noch einmal.
mail-unsubscribe = Diese Liste verlassen?
    .what = { $address } bekommt keine Briefe von „{ $list }“ mehr.
    .go = Liste verlassen
    .unasked = Diese Anfrage bittet nicht darum, die Liste zu verlassen. Öffnen Sie den Link und drücken Sie den Knopf.
mail-unsubscribed = Sie haben die Liste verlassen
    .what = { $address } bekommt keine Briefe von „{ $list }“ mehr.
mail-sender-limit = Sie haben schon viele Nachrichten ausgelöst. Versuchen Sie es später noch einmal.
letter-welcome = Ihr Konto
    .text =
        Mit dieser Adresse wurde soeben ein Konto angelegt. Melden Sie sich hier an:
        { $link }

        Wenn Sie das nicht waren, bitten Sie dort um ein neues Passwort: Das Konto gehört dann Ihnen allein.

### Das Passwort noch einmal, und die eigenen Sitzungen

accounts-confirm = Bestätigen Sie, dass Sie es sind
    .how = Geben Sie Ihr Passwort noch einmal ein, um weiterzumachen.
    .kept = Was Sie eingegeben haben, ist aufgehoben und wird gleich danach ausgeführt.
    .go = Weiter
accounts-confirm-again = Bitte schicken Sie es noch einmal
    .why = Bestätigen Sie zuerst, dass Sie es sind. Was Sie geschickt haben, enthält Dateien oder ist zu groß, um so lange aufgehoben zu werden; geändert wurde nichts.
    .how = Bestätigen Sie zuerst. Gehen Sie dann im Browser auf die Seite zurück, von der Sie kommen, und schicken Sie es noch einmal.
    .go = Jetzt bestätigen
accounts-confirm-first = Bestätigen Sie zuerst Ihr Passwort auf der Seite { $path }. Geändert wurde nichts.
accounts-confirm-late = Das hat zu lange gedauert, und geändert wurde nichts. Gehen Sie zurück, laden Sie die Seite neu und wiederholen Sie, was Sie getan haben.
accounts-confirm-done = Das haben Sie schon bestätigt, und da wurde es ausgeführt. Ein zweites Mal wird es nicht ausgeführt.
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

### Anmeldung über einen Anbieter

accounts-provider-sign-in = Mit { $provider } anmelden
accounts-provider-confirm = Mit { $provider } bestätigen
accounts-provider-connect = { $provider } verbinden
accounts-provider-leave = Weiter zu { $provider }
    .go = Zu { $provider }
accounts-provider-late = Diese Anmeldung mit { $provider } hat zu lange gedauert, wurde schon benutzt oder begann in einem anderen Browser. Es wurde nichts geändert. Beginnen Sie hier von vorn.
accounts-provider-away = { $provider } antwortet gerade nicht. Melden Sie sich mit Ihrem Passwort an, oder versuchen Sie es später.
accounts-provider-cancelled = Sie haben die Anmeldung mit { $provider } abgebrochen. Es wurde nichts geändert.
accounts-provider-failed = Die Anmeldung mit { $provider } hat nicht geklappt, und es wurde nichts geändert. Versuchen Sie es noch einmal, oder melden Sie sich mit Ihrem Passwort an.
accounts-provider-unverified = { $provider } hat Ihre E-Mail-Adresse nicht bestätigt. Bestätigen Sie sie zuerst dort, oder benutzen Sie hier Ihr Passwort.
accounts-provider-closed = Für Sie gibt es hier noch kein Konto. Bitten Sie jemanden aus der Verwaltung darum.
accounts-provider-no-name = Ihr Name bei { $provider } geht hier nicht. Registrieren Sie sich stattdessen auf dieser Website.
accounts-provider-prove = Zur Adresse { $email } gibt es schon ein Konto. Melden Sie sich zuerst dort an. Dann können Sie { $provider } damit verbinden.
accounts-provider-another = Diese Identität bei { $provider } gehört zu einem anderen Konto. Es wurde nichts geändert.
accounts-provider-connected = Sie können sich ab jetzt mit { $provider } anmelden.
accounts-provider-many = Ihr Konto ist schon mit sehr vielen Identitäten verbunden. Trennen Sie zuerst eine.
accounts-provider-confirmed = Sie haben bestätigt, dass Sie es sind. Falls Sie ein Formular abgeschickt haben, schicken Sie es noch einmal.
accounts-provider-disconnected = Der Anbieter ist getrennt. Ihre Sitzungen laufen weiter; auf der Seite Ihrer Sitzungen können Sie sie beenden.
accounts-provider-last-way-in = Das ist der einzige Weg in Ihr Konto. Wählen Sie zuerst ein Passwort, mit einem Link für ein vergessenes Passwort.
accounts-provider-waits = { $provider } sagt, dass { $email } zu Ihnen gehört. Verbinden Sie beides, dann können Sie sich mit { $provider } anmelden. Wenn Sie das nicht begonnen haben, tun Sie nichts.
accounts-providers = Anmeldung über andere Anbieter
    .how = Mit jedem von diesen können Sie sich bei diesem Konto anmelden.
    .since = Verbunden
    .none = Es ist kein Anbieter verbunden.
    .disconnect = Trennen
letter-provider-connected = Sie können sich mit { $provider } anmelden
    .text =
        { $provider } wurde soeben mit Ihrem Konto verbunden. Wer sich dort anmelden kann, kann sich auch hier anmelden.

        Wenn Sie das nicht waren, wählen Sie sofort ein neues Passwort, und trennen Sie den Anbieter auf der Seite Ihres Kontos:
        { $link }
letter-provider-disconnected = { $provider } wurde von Ihrem Konto getrennt
    .text =
        Niemand kann sich mehr mit { $provider } bei Ihrem Konto anmelden.

        Wenn Sie das nicht waren, wählen Sie sofort ein neues Passwort:
        { $link }

api-tokens = API-Token
    .how = Mit einem Token arbeitet ein Programm in Ihrem Namen, so weit seine Rechte reichen. Geben Sie jedem Programm ein eigenes und widerrufen Sie es, wenn Sie es nicht mehr brauchen. Ein neues Passwort beendet alle.
    .once = Das ist das neue Token. Kopieren Sie es jetzt: Es wird nicht noch einmal angezeigt.
    .made = Erstellt
    .expires = Läuft ab
    .used = Zuletzt benutzt
    .never = nie
    .none = Es gibt keine Token.
    .new = Neues Token
    .make = Token erstellen
    .revoke = Widerrufen
    .revoked = (widerrufen)
    .expired = (abgelaufen)
api-service-tokens = Token von Diensten
    .how = Das Token eines Dienstes gehört niemandem und gilt, bis es abläuft oder widerrufen wird. Geben Sie jedem Dienst ein eigenes.
api-token-revoked = Dieses Token gilt nicht mehr.
api-token-too-long = Ein Token gilt einen bis { $days } Tage.
api-token-too-many = Es gibt schon { $most } Token. Widerrufen Sie eines, das nicht mehr benutzt wird.
api-token-no-scope = Wählen Sie mindestens eines.
api-token-name = Schreiben Sie 1 bis 60 Zeichen, in einer Zeile.
api-token-missing = Schicken Sie ein API-Token im Header „Authorization: Bearer“.
api-token-invalid = Das Token ist unbekannt, abgelaufen oder widerrufen.
api-token-malformed = Der Header „Authorization“ ist nicht lesbar. Schicken Sie ihn einmal: „Authorization: Bearer <Token>“.
api-token-in-address = Ein Token gehört nicht in eine Adresse, denn Adressen werden protokolliert. Schicken Sie es im Header „Authorization: Bearer“ und widerrufen Sie dieses.
api-insufficient-scope = Dem Token fehlt das Recht { $scope }.
api-needs-a-person = Das geht mit dem Token einer Person, nicht mit dem eines Dienstes.
api-cors-refused = Die Skripte dieser Herkunft dürfen diese Adresse nicht benutzen.
new-api-token-name = Wofür ist es?
    .hint = Das Programm oder der Rechner, der es benutzt.
new-api-token-scopes = Was darf es?
new-api-token-days = Wie viele Tage gilt es?

accounts-yours = Ihr Konto
accounts-fields-save = Speichern
accounts-fields-saved = Ihr Konto wurde geändert.
accounts-fields-refused = Die Angaben zum Konto wurden abgelehnt, und nichts wurde geändert.
