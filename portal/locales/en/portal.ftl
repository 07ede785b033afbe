## What the portal says in English.

### Every page

portal-documents = Documents
portal-reviews = Reviews
portal-people = People
portal-overview = State
portal-audit = Audit log
portal-jobs = Jobs
portal-main = Main
portal-foot = Portal keeps your team’s documents: read, reviewed and in one place.
portal-cancel = Cancel
portal-show = Show
portal-clear = Clear
portal-save = Save
portal-and = { $before } and { $last }
portal-role = { $role ->
    [member] Member
    [reviewer] Reviewer
    [administrator] Administrator
   *[other] { $role }
 }

### The front page

front-welcome = Welcome
front-title = The documents your team agreed on
front-lead = Hand in a document, have a colleague review it, and share it with the people who need it.
front-go = Go to documents
front-account = Create an account
front-notices = Notices
front-write = Write a notice
front-by = by { $author }
front-withdraw = Withdraw
    .which = “{ $title }”
front-nothing = There are no notices at the moment.
front-pages = Pages of notices
    .newer = Newer notices
    .older = Older notices

### Documents

documents-add = Add a document
documents-add-first = Add the first one
documents-search = Search
documents-title = Title
documents-status = Status
documents-owner = Owner
documents-kind = Kind
documents-size = Size
documents-added = Added
documents-file = File
documents-tag = Tag
documents-tags = Tags
documents-sort = Sort by
documents-any = Any
documents-state = { $state ->
    [approved] Approved
    [rejected] Rejected
   *[pending] Pending
 }
documents-best = Best match, or newest
documents-newest = Newest first
documents-oldest = Oldest first
documents-largest = Largest first
documents-total = { $total ->
    [one] 1 document
   *[other] { $total } documents
 }
    .page = { $total ->
        [one] 1 document on this page
       *[other] { $total } documents on this page
     }
documents-not-found = Nothing found
    .why = No document you can read fits this search.
    .all = Show all documents
documents-none-here = Nothing found on this page
    .next = The search looks at a part of the documents at a time. The next page continues with the others.
documents-none = No documents yet
    .why = Documents that you add, that are shared with you or that were approved appear here.
documents-delete = Delete
    .title = Delete { $title }
    .ask = Delete this document?
    .warning = This document, its file and its comments will be gone for everybody. This cannot be undone.
    .go = Delete for good
    .keep = Keep it
documents-intro = A reviewer looks at it before all members can read it. Until then only you, the reviewers and the members you share it with can read it.
documents-hand-in = Hand in
documents-about = About this document
documents-no-description = No description.
documents-comments = Comments
    .older = Older comments
    .newest = The newest comments
documents-no-comments = Nobody has commented yet.
documents-comment = Comment
documents-details = Details
documents-download = Download
documents-review = Review
documents-edit = Edit
    .title = Edit { $title }
    .heading = Edit this document
    .pending = A reviewer sees your latest version.
    .rejected = After a change it waits for a reviewer again.
    .approved = After a change it waits for a reviewer again, and other members cannot read it until then.
    .file = The file stays the same. For another file, hand in a new document.
    .save = Save the changes
documents-mend = Change what is wrong, and a reviewer looks at it again
documents-shared = Shared with
documents-stop = Stop
    .with = sharing with { $name }
documents-all-read = All members can read approved documents.
documents-only-you = Only you can read it.
documents-only-reviewers = Only you and the reviewers can read it.
documents-share = Share
documents-back = Back to the document
documents-by = by { $reviewer }
    .on = by { $reviewer } on

### Reviews

reviews-waiting = Waiting for review
reviews-order = The oldest of each owner first, then the second of each. Somebody else reviews your own documents.
reviews-none = All done
    .why = No document is waiting for your review.
reviews-of = Review { $title }
reviews-download = Download to read
reviews-document = Document and comments
reviews-decision = Your decision
    .record = Record the decision
reviews-say-why = Say why, so that the owner can correct it.

### Notices

notices-front = Front page
notices-who = Everybody who opens the front page can read it, signed in or not.
notices-publish = Publish

### People

people-search = Name or e-mail address
people-save = Save as CSV
people-by-name = By name. A change of roles takes effect with the member’s next request.
people-name = Name
people-email = E-mail address
people-roles = Roles
    .of = Roles of { $name }
    .save = roles of { $name }
people-since = Since
people-account = Account
    .in-use = in use
    .disabled = disabled
people-you = you
people-disabled = Disabled
people-in-use = In use
people-enable = Enable
    .whom = { $name }
people-disable = Disable
    .whom = { $name }
people-sign-out = { $name } everywhere
people-locked = Too many failed sign-ins
people-unlock = Unlock
    .whom = { $name }
people-none = Nobody found
    .all = Show everybody
people-back = Back to the people

### The audit log

audit-order = Newest first. Every line is chained to the one before it.
audit-number = No.
audit-event = Event
audit-when = When
audit-who = Who
audit-command-line = command line
audit-what = What
audit-from = From
audit-none = Nothing older
    .newest = Newest entries
audit-newest = Newest
audit-older = Older

### The account

account-yours = Your account
account-picture = Picture
    .yours = Your picture
    .use = Use this picture
account-name = Name
    .change = Change the name
account-email = E-mail
account-telephone = Telephone
    .none = none
    .change = Change
    .yours = your telephone number
account-roles = Roles
    .none = none yet

### The state of the installation

overview-title = State of this installation
overview-how = The running program’s findings about its certificate, its keys and its log.
overview-fix = What to do:
overview-well = All is well
    .what = The certificate is valid, the keys are not too old, and the log is complete.

### Errors

portal-error = Error { $status }
portal-to-front = Go to the front page
portal-number = If you ask for help, name this number:

### Forms

new-document-title = Title
new-document-description = Description
    .hint = What is in it, and for whom. Paragraphs, lists, links and emphasis may be written as HTML.
new-document-tags = Tags
    .hint = Up to eight short words, with commas or blanks between them.
new-document-file = File
new-comment-comment = Your comment
comment-by-program-version = Version
comment-by-program-comment = Comment
new-share-email = E-mail address of a member
new-name-name = Name
    .hint = Others see it beside your documents and comments.
changes-title = Title
changes-description = Description
    .hint = Paragraphs, lists, links and emphasis may be written as HTML.
changes-tags = Tags
    .hint = Up to eight short words, with commas or blanks between them.
new-texts-version = Version
new-texts-title = Title
new-texts-description = Description
new-texts-tags = Tags
new-picture-picture = New picture
    .hint = Where it was taken and by what is removed.
new-telephone-telephone = Telephone
    .hint = With the country, as in +41 44 668 18 00. You and the administrators see it. Leave it empty to remove it.
new-notice-title = Title
new-notice-body = Text
    .hint = Paragraphs, lists, links and emphasis may be written as HTML.
decision-decision = Decision
    .is-approve = Approve
    .is-reject = Reject
decision-reason = Reason
    .hint = The owner and everybody who may read the document will see it. Needed to reject.
new-roles-roles = Roles
tags-letters = “{ $tag }” is not a tag: use letters, digits and hyphens.
tags-long = “{ $tag }” is too long: { $max } characters at most.
tags-many = These are too many tags: { $max } at most.

### Letters

letter-approved = Approved: { $title }
    .text = Your document “{ $title }” was approved. Every member can read it now.
letter-rejected = Not approved: { $title }
    .text = Your document “{ $title }” was not approved. Change it, and a reviewer looks at it again.
letter-read = Read the document:

### What was done

done-handed-in = Your document was handed in.
done-handed-in-waiting = Your document was handed in. Its file waits for the virus scanner; nobody can open it until then.
done-deleted = The document was deleted.
done-commented = Your comment was added.
done-shared = If a member has this address, they can read the document now.
done-unshared = You no longer share the document with this member.
done-picture = Your picture was changed.
done-name = Your name was changed.
done-edited = Your changes were saved. A reviewer looks at them.
done-telephone = Your telephone number was saved.
done-published = The notice was published.
done-withdrawn = The notice was withdrawn.
done-decided = Your decision was recorded.
done-roles = The roles were changed.
done-disabled = The account is disabled, and its sessions have ended.
done-enabled = The account can be used again.
done-signed-out = All sessions of this account have ended.
done-unlocked = The failed sign-ins are forgotten. Sign-in is possible again.

### What was not done

undone-changed = It was changed since you opened this page. Open the page again to see the current version.
undone-decided = Nothing was recorded: somebody changed it, or decided about it, since you opened it.
undone-last = Nothing was changed: at least one administrator has to remain.

### What an API token may do

scope = Permission
    .is-comments_write = Comment on documents
    .is-documents_read = Read documents
    .is-documents_write = Hand in and change documents
