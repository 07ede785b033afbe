## What the help desk says in English.

### Every page

desk-menu = Menu
tickets = Tickets
queue = Queue
people = People
tokens = API tokens
save = Save
saved = Saved.
cancel = Cancel
title = Title
assignee = Assigned to
assignee-none = nobody
opened = Opened
active = Last text
name = Name
email = E-mail address
status = Status
    .is-open = Open
    .is-waiting = Waiting for the customer
    .is-closed = Closed
priority = Priority
    .is-low = Low
    .is-normal = Normal
    .is-high = High
staff = Roles
    .is-customer = Customer
    .is-agent = Agent
    .is-administrator = Administrator

### The front page

front-welcome = Welcome, { $name }.
front-lead = Tell us what is wrong. We answer here and by letter.

### Tickets

tickets-new = New ticket
tickets-open = Open the ticket
tickets-opened = Your ticket is open.
tickets-edit = Assign or close
tickets-all = All
tickets-none = There are no tickets here.
tickets-changed = It was changed meanwhile. Your changes are not saved: look at it again, then send them.
queue-caption = Open tickets, the longest wait first
queue-none = Nobody is waiting.
attachments = Files
replies = Replies
replies-send = Send
replies-sent = Your reply is sent.
export-head = { $column ->
    [id] Number
    [title] Title
    [status] Status
    [priority] Priority
    [owner] Customer
    [assignee] Assigned to
   *[other] { $column }
 }

### People

people-nobody = Nobody has an account with this address.

### Letters

letter-replied = Re: { $title }
    .lead = { $desk } has answered your ticket:
    .answer = Answer here:
    .password = If you have no password yet, choose one here:

### Forms

new-ticket-title = Title
new-ticket-priority = Priority
new-ticket-description = What is wrong?
new-ticket-file = File
edit-ticket-priority = Priority
edit-ticket-status = Status
edit-ticket-assignee = Assigned to
new-reply-body = Your reply
new-reply-file = File
new-roles-email = E-mail address
new-roles-roles = Roles
