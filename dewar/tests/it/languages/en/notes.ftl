new-note-title = Title
new-note-paper = Paper
    .hint = What belongs to it.
