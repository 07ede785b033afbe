new-note-title = <b>Überschrift</b>
new-note-paper = Papier
    .hint = Was dazugehört.
