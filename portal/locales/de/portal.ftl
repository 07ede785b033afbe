## Was das Portal auf Deutsch sagt.

### Jede Seite

portal-documents = Dokumente
portal-reviews = Prüfungen
portal-people = Personen
portal-overview = Zustand
portal-audit = Protokoll
portal-jobs = Aufträge
portal-main = Hauptmenü
portal-foot = Portal bewahrt die Dokumente Ihres Teams auf: gelesen, geprüft und an einem Ort.
portal-cancel = Abbrechen
portal-show = Anzeigen
portal-clear = Zurücksetzen
portal-save = Speichern
portal-and = { $before } und { $last }
portal-role = { $role ->
    [member] Mitglied
    [reviewer] Prüfung
    [administrator] Verwaltung
   *[other] { $role }
 }

### Die Startseite

front-welcome = Willkommen
front-title = Die Dokumente, auf die sich Ihr Team geeinigt hat
front-lead = Reichen Sie ein Dokument ein, lassen Sie es prüfen und teilen Sie es mit denen, die es brauchen.
front-go = Zu den Dokumenten
front-account = Konto anlegen
front-notices = Mitteilungen
front-write = Mitteilung schreiben
front-by = von { $author }
front-withdraw = Zurückziehen
    .which = der Mitteilung „{ $title }“
front-nothing = Zurzeit gibt es keine Mitteilungen.
front-pages = Seiten der Mitteilungen
    .newer = Neuere Mitteilungen
    .older = Ältere Mitteilungen

### Dokumente

documents-add = Dokument hinzufügen
documents-add-first = Das erste hinzufügen
documents-search = Suche
documents-title = Titel
documents-status = Stand
documents-owner = Von
documents-kind = Art
documents-size = Größe
documents-added = Hinzugefügt
documents-file = Datei
documents-tag = Schlagwort
documents-tags = Schlagwörter
documents-sort = Sortieren nach
documents-any = Jeder
documents-state = { $state ->
    [approved] Angenommen
    [rejected] Abgelehnt
   *[pending] Wartend
 }
documents-best = Beste Treffer, sonst neueste
documents-newest = Neueste zuerst
documents-oldest = Älteste zuerst
documents-largest = Größte zuerst
documents-total = { $total ->
    [one] 1 Dokument
   *[other] { $total } Dokumente
 }
    .page = { $total ->
        [one] 1 Dokument auf dieser Seite
       *[other] { $total } Dokumente auf dieser Seite
     }
documents-not-found = Nichts gefunden
    .why = Kein Dokument, das Sie lesen können, passt zu dieser Suche.
    .all = Alle Dokumente anzeigen
documents-none-here = Auf dieser Seite nichts gefunden
    .next = Die Suche sieht einen Teil der Dokumente auf einmal durch. Die nächste Seite geht mit den anderen weiter.
documents-none = Noch keine Dokumente
    .why = Hier stehen Dokumente, die Sie hinzufügen, die mit Ihnen geteilt oder die angenommen wurden.
documents-delete = Löschen
    .title = { $title } löschen
    .ask = Dieses Dokument löschen?
    .warning = Dieses Dokument, seine Datei und seine Kommentare sind dann für alle weg. Das ist nicht rückgängig zu machen.
    .go = Endgültig löschen
    .keep = Behalten
documents-intro = Es wird geprüft, bevor alle Mitglieder es lesen können. Bis dahin sehen es nur Sie, die Prüfenden und die Mitglieder, mit denen Sie es teilen.
documents-hand-in = Einreichen
documents-about = Über dieses Dokument
documents-no-description = Keine Beschreibung.
documents-comments = Kommentare
    .older = Ältere Kommentare
    .newest = Die neuesten Kommentare
documents-no-comments = Noch hat niemand etwas dazu gesagt.
documents-comment = Kommentieren
documents-details = Einzelheiten
documents-download = Herunterladen
documents-review = Prüfen
documents-edit = Bearbeiten
    .title = { $title } bearbeiten
    .heading = Dieses Dokument bearbeiten
    .pending = Eine prüfende Person sieht es so, wie Sie es hinterlassen.
    .rejected = Nach einer Änderung wartet es wieder auf eine Prüfung.
    .approved = Nach einer Änderung wartet es wieder auf eine Prüfung, und bis dahin können andere Mitglieder es nicht lesen.
    .file = Die Datei bleibt; eine andere ist ein eigenes Dokument.
    .save = Änderungen speichern
documents-mend = Ändern Sie, was nicht stimmt, und es wird noch einmal geprüft
documents-shared = Geteilt mit
documents-stop = Beenden
    .with = des Teilens mit { $name }
documents-all-read = Alle Mitglieder können angenommene Dokumente lesen.
documents-only-you = Nur Sie können es lesen.
documents-only-reviewers = Nur Sie und die Prüfenden können es lesen.
documents-share = Teilen
documents-back = Zurück zum Dokument
documents-by = von { $reviewer }
    .on = von { $reviewer } am

### Prüfungen

reviews-waiting = Zu prüfen
reviews-order = Von jeder Person zuerst das älteste, dann das zweite. Ihre eigenen Dokumente prüft jemand anders.
reviews-none = Alles erledigt
    .why = Kein Dokument wartet darauf, dass Sie es prüfen.
reviews-of = { $title } prüfen
reviews-download = Zum Lesen herunterladen
reviews-document = Dokument und Kommentare
reviews-decision = Ihre Entscheidung
    .record = Entscheidung festhalten
reviews-say-why = Begründen Sie die Ablehnung, damit das Dokument verbessert werden kann.

### Mitteilungen

notices-front = Startseite
notices-who = Alle, die die Startseite öffnen, können die Mitteilung lesen, auch ohne sich anzumelden.
notices-publish = Veröffentlichen

### Personen

people-search = Name oder E-Mail-Adresse
people-save = Als CSV speichern
people-by-name = Nach Namen. Geänderte Rollen gelten ab der nächsten Anfrage des Mitglieds.
people-name = Name
people-email = E-Mail-Adresse
people-roles = Rollen
    .of = Rollen von { $name }
    .save = der Rollen von { $name }
people-since = Seit
people-account = Konto
    .in-use = aktiv
    .disabled = gesperrt
people-you = Sie
people-disabled = Gesperrt
people-in-use = Aktiv
people-enable = Entsperren
    .whom = von { $name }
people-disable = Sperren
    .whom = von { $name }
people-sign-out = von { $name } auf allen Geräten
people-locked = Zu viele Fehlversuche
people-unlock = Anmeldung freigeben
    .whom = für { $name }
people-none = Niemand gefunden
    .all = Alle anzeigen
people-back = Zurück zu den Personen

### Das Protokoll

audit-order = Neueste zuerst. Jede Zeile ist mit der vorherigen verkettet.
audit-number = Nr.
audit-event = Ereignis
audit-when = Wann
audit-who = Wer
audit-command-line = Befehlszeile
audit-what = Was
audit-from = Woher
audit-none = Nichts Älteres
    .newest = Neueste Einträge
audit-newest = Neueste
audit-older = Ältere

### Das Konto

account-yours = Ihr Konto
account-picture = Bild
    .yours = Ihr Bild
    .use = Dieses Bild benutzen
account-name = Name
    .change = Namen ändern
account-email = E-Mail
account-telephone = Telefon
    .none = keines
    .change = Ändern
    .yours = Ihrer Telefonnummer
account-roles = Rollen
    .none = noch keine

### Der Zustand der Installation

overview-title = Zustand dieser Installation
overview-how = Was das laufende Programm über sein Zertifikat, seine Schlüssel und sein Protokoll zu sagen hat.
overview-fix = Was zu tun ist:
overview-well = Alles in Ordnung
    .what = Das Zertifikat gilt, die Schlüssel sind nicht zu alt, und das Protokoll ist unversehrt.

### Fehler

portal-error = Fehler { $status }
portal-to-front = Zur Startseite
portal-number = Wenn Sie um Hilfe bitten, nennen Sie diese Nummer:

### Formulare

new-document-title = Titel
new-document-description = Beschreibung
    .hint = Was darin steht und für wen. Absätze, Listen, Links und Hervorhebungen dürfen als HTML geschrieben werden.
new-document-tags = Schlagwörter
    .hint = Bis zu acht kurze Wörter, durch Kommas oder Leerzeichen getrennt.
new-document-file = Datei
new-comment-comment = Ihr Kommentar
comment-by-program-version = Version
comment-by-program-comment = Kommentar
new-share-email = E-Mail-Adresse eines Mitglieds
new-name-name = Name
    .hint = Andere sehen ihn bei Ihren Dokumenten und Kommentaren.
changes-title = Titel
changes-description = Beschreibung
    .hint = Absätze, Listen, Links und Hervorhebungen dürfen als HTML geschrieben werden.
changes-tags = Schlagwörter
    .hint = Bis zu acht kurze Wörter, durch Kommas oder Leerzeichen getrennt.
new-texts-version = Version
new-texts-title = Titel
new-texts-description = Beschreibung
new-texts-tags = Schlagwörter
new-picture-picture = Neues Bild
    .hint = Wo und womit es aufgenommen wurde, wird entfernt.
new-telephone-telephone = Telefon
    .hint = Mit der Landesvorwahl, etwa +41 44 668 18 00. Sie und die Verwaltung sehen die Nummer. Lassen Sie das Feld leer, um sie zu entfernen.
new-notice-title = Titel
new-notice-body = Text
    .hint = Absätze, Listen, Links und Hervorhebungen dürfen als HTML geschrieben werden.
decision-decision = Entscheidung
    .is-approve = Annehmen
    .is-reject = Ablehnen
decision-reason = Begründung
    .hint = Wer das Dokument eingereicht hat und wer es lesen kann, sieht die Begründung. Zum Ablehnen ist sie nötig.
new-roles-roles = Rollen
tags-letters = „{ $tag }“ ist kein Schlagwort: nur Buchstaben, Ziffern und Bindestriche.
tags-long = „{ $tag }“ ist zu lang: höchstens { $max } Zeichen.
tags-many = Das sind zu viele: höchstens { $max }.

### Briefe

letter-approved = Freigegeben: { $title }
    .text = Ihr Dokument „{ $title }“ wurde freigegeben. Alle Mitglieder können es jetzt lesen.
letter-rejected = Nicht freigegeben: { $title }
    .text = Ihr Dokument „{ $title }“ wurde nicht freigegeben. Ändern Sie es, dann wird es noch einmal geprüft.
letter-read = Dokument lesen:

### Was getan wurde

done-handed-in = Ihr Dokument wurde eingereicht.
done-handed-in-waiting = Ihr Dokument wurde eingereicht. Die Datei wartet auf den Virenscanner; bis dahin kann sie niemand öffnen.
done-deleted = Das Dokument wurde gelöscht.
done-commented = Ihr Kommentar wurde hinzugefügt.
done-shared = Wenn ein Mitglied diese Adresse hat, kann es das Dokument jetzt lesen.
done-unshared = Sie teilen das Dokument nicht mehr mit diesem Mitglied.
done-picture = Ihr Bild wurde geändert.
done-name = Ihr Name wurde geändert.
done-edited = Ihre Änderungen wurden gespeichert. Sie werden noch geprüft.
done-telephone = Ihre Telefonnummer wurde gespeichert.
done-published = Die Mitteilung wurde veröffentlicht.
done-withdrawn = Die Mitteilung wurde zurückgezogen.
done-decided = Ihre Entscheidung wurde festgehalten.
done-roles = Die Rollen wurden geändert.
done-disabled = Das Konto ist gesperrt, und seine Sitzungen sind beendet.
done-enabled = Das Konto kann wieder benutzt werden.
done-signed-out = Alle Sitzungen dieses Kontos sind beendet.
done-unlocked = Die Fehlversuche sind gelöscht. Die Anmeldung ist wieder möglich.

### Was nicht getan wurde

undone-changed = Das Dokument wurde geändert, nachdem Sie diese Seite geöffnet hatten. Öffnen Sie sie noch einmal und sehen Sie nach, was jetzt dort steht.
undone-decided = Es wurde nichts festgehalten: Nachdem Sie das Dokument geöffnet hatten, wurde es geändert oder schon darüber entschieden.
undone-last = Es wurde nichts geändert: Jemand muss in der Verwaltung bleiben.

### Was ein API-Token darf

scope = Recht
    .is-comments_write = Dokumente kommentieren
    .is-documents_read = Dokumente lesen
    .is-documents_write = Dokumente einreichen und ändern
