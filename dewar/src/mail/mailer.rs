use std::fmt;
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, Mutex};

use data_encoding::HEXLOWER;
use lettre::message::Mailbox;
use tokio::sync::Notify;

use super::letter::{Letter, LetterType};
use super::message::{Envelope, message};
use super::queue::{
    self, CONTENT, Content, LetterKind, Limits, MailQuota, NewLetter, Room, seconds,
};
use super::recipient::{IntoRecipient, Recipient};
use super::transport::MailTransport;
use super::{Attachment, Config, Error, LARGEST, attachment, list, parts};
use crate::audit::{Clock, Log};
use crate::database::{Db, Tx};
use crate::pages::{Languages, LetterFacts, LetterTemplates, Page, RequestContext};
use crate::secrets::{KeyRing, random};
use crate::sessions::{Principal, UserId};
use crate::uploads::{FileId, Uploads};

/// Sends letters. Cheap to clone.
///
/// A handler takes it as an argument; a job and a command take it from [`Dewar`](crate::Dewar). [`send`](Self::send) puts the
/// letter into the database, in the transaction of the caller. Dewar sends it after the commit, and again after a kill.
///
/// ```
/// use dewar::forms::Email;
/// use dewar::mail::{Letter, LetterStatus, Mailer, Recipient};
/// # use dewar::database::Tx;
/// #[derive(Letter)]
/// #[letter(template = "letters/reminder")]
/// struct Reminder { days: u32 }
///
/// async fn remind(mailer: &Mailer, tx: &Tx, address: Email) -> Result<bool, dewar::mail::Error> {
///     let status = mailer.send(tx, address, &Reminder { days: 3 }).await?;
///     Ok(status == LetterStatus::Queued)
/// }
/// ```
#[derive(Clone)]
pub struct Mailer {
    pub(super) shared: Arc<Shared>,
    /// The person whose request sends letters.
    cause: MailQuota,
}

pub(super) struct Shared {
    pub(super) clock: Clock,
    pub(super) config: Config,
    pub(super) db: Db,
    pub(super) log: Log,
    pub(super) ring: KeyRing,
    /// None if the application sends no mail. Only one thread sends, one letter after the other.
    pub(super) transport: Option<Arc<Mutex<MailTransport>>>,
    /// Held while this node sends what is due.
    pub(super) turn: tokio::sync::Mutex<()>,
    /// Is notified when a letter was queued.
    pub(super) queued: Notify,
    /// The letters of this node since its start; it begins again after 65,536.
    queued_so_far: AtomicU16,
    from: Mailbox,
    host: String,
    languages: Languages,
    letters: Vec<LetterType>,
    origin: String,
    templates: LetterTemplates,
}

/// How a letter is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pieces {
    Many,
    One,
}

/// What became of a letter that a program sent.
///
/// ```
/// use dewar::mail::LetterStatus;
/// fn told(status: LetterStatus) -> &'static str {
///     match status {
///         LetterStatus::Queued => "A message is on its way.",
///         _ => "No message was sent.",
///     }
/// }
/// # assert_eq!(told(LetterStatus::Disabled), "No message was sent.");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum LetterStatus {
    /// A mail server has said that this address does not exist. It gets no letter until `mail refused clear`.
    AddressRefused,
    /// The application sends no mail (`mail.transport = "none"`).
    Disabled,
    /// The letter waits for the commit of its transaction.
    Queued,
    /// The recipient has left the list of this letter.
    Unsubscribed,
}

/// The room's dependencies on the others.
#[derive(Debug)]
pub(crate) struct Dependencies {
    pub(crate) clock: Clock,
    pub(crate) config: Config,
    pub(crate) db: Db,
    pub(crate) log: Log,
    pub(crate) ring: KeyRing,
    pub(crate) templates: LetterTemplates,
    pub(crate) languages: Languages,
    /// The letters that the program can send.
    pub(crate) letters: Vec<LetterType>,
    /// The application's own origin. Links in letters begin with it, and never with the host that a request names (CWE-640).
    pub(crate) base_url: String,
    /// The application's own host: for the greeting to the server and for message ids.
    pub(crate) host: String,
}

fn sender(config: &Config) -> Result<Mailbox, Error> {
    config.from.parse().map_err(|_| Error::Sender)
}

impl Mailer {
    /// Why the room could not be opened; this creates nothing and contacts no server.
    pub(crate) fn unusable(config: &Config) -> Option<Error> {
        match sender(config) {
            Err(error) => Some(error),
            Ok(from) => MailTransport::unusable(&config.destination, &from.email),
        }
    }

    /// Opens the room. It contacts the mail server only for the first letter.
    pub(crate) fn open(needs: Dependencies) -> Result<Self, Error> {
        let from = sender(&needs.config)?;
        let destination = &needs.config.destination;
        let transport = MailTransport::open(destination, &needs.host, &from.email)?;
        let shared = Shared {
            clock: needs.clock,
            config: needs.config,
            db: needs.db,
            log: needs.log,
            ring: needs.ring,
            transport: transport.map(|transport| Arc::new(Mutex::new(transport))),
            turn: tokio::sync::Mutex::new(()),
            queued: Notify::new(),
            queued_so_far: AtomicU16::new(0),
            from,
            host: needs.host,
            languages: needs.languages,
            letters: needs.letters,
            origin: needs.base_url.trim_end_matches('/').to_owned(),
            templates: needs.templates,
        };
        Ok(Self {
            shared: Arc::new(shared),
            cause: MailQuota::Program,
        })
    }

    /// The mailer for the caller of a request: its limits are those of that person.
    pub(crate) fn for_caller(&self, context: &RequestContext) -> Self {
        let user = context.principal().map(Principal::id);
        let network = context.address().map(|address| address.network());
        let cause = match (user, network) {
            (Some(user), _) => MailQuota::User(user),
            (None, Some(network)) => MailQuota::Network(network),
            (None, None) => MailQuota::Program,
        };
        Self {
            shared: Arc::clone(&self.shared),
            cause,
        }
    }

    /// The mailer for letters that a person has caused, when their request is over: for a job.
    ///
    /// The letters of one person within `mail.limit_window` are limited by `mail.sender_limit`. A program without a person has
    /// no such limit.
    ///
    /// ```
    /// # fn job(mailer: dewar::mail::Mailer, author: dewar::sessions::UserId) {
    /// let mailer = mailer.on_behalf_of(author);
    /// # let _ = mailer; }
    /// ```
    #[must_use]
    pub fn on_behalf_of(&self, user: UserId) -> Self {
        Self {
            shared: Arc::clone(&self.shared),
            cause: MailQuota::User(user),
        }
    }

    /// Whether the application sends mail.
    #[must_use]
    pub fn sends(&self) -> bool {
        self.shared.transport.is_some()
    }

    /// The origin of the application: every link in a letter begins with it.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.shared.origin
    }

    /// The folder of the letters in development.
    #[cfg(feature = "testing")]
    pub(crate) fn outbox(&self) -> Option<&std::path::Path> {
        match &self.shared.config.destination {
            super::Destination::Outbox(folder) => Some(folder),
            super::Destination::Disabled | super::Destination::Smtp(_) => None,
        }
    }

    /// Queues a letter in this transaction, in the language of its recipient. Without the commit, there is no letter.
    ///
    /// The letter is written now, so that its values are those of the transaction.
    ///
    /// # Errors
    /// [`Error::RecipientLimit`] and [`Error::SenderLimit`], as a response 429; [`Error::Full`], 503; [`Error::Unregistered`],
    /// [`Error::Letter`], [`Error::Address`]; [`Error::Database`].
    pub async fn send<L: Letter>(
        &self,
        tx: &Tx,
        to: impl IntoRecipient,
        letter: &L,
    ) -> Result<LetterStatus, Error> {
        self.send_with(tx, to, letter, []).await
    }

    /// Queues a letter with attachments: at most 20, and `mail.max_size` for the whole letter.
    ///
    /// ```
    /// # use dewar::database::Tx;
    /// # use dewar::forms::Email;
    /// # use dewar::mail::{Attachment, Error, Letter, Mailer};
    /// # use dewar::{Uploads, uploads::FileId};
    /// async fn forward(
    ///     (mailer, uploads): (&Mailer, &Uploads),
    ///     tx: &Tx,
    ///     to: Email,
    ///     letter: &impl Letter,
    ///     contract: &FileId,
    /// ) -> Result<(), Error> {
    ///     let contract = mailer.attachment(uploads, contract).await?;
    ///     let table = Attachment::new("prices.csv", b"item,price\ntea,7\n".to_vec())?;
    ///     mailer.send_with(tx, to, letter, [contract, table]).await?;
    ///     Ok(())
    /// }
    /// ```
    ///
    /// # Errors
    /// As [`send`](Self::send); [`Error::TooLarge`]; [`Error::Full`] if letters with more than `mail.max_waiting_bytes` wait, and
    /// [`Error::SenderLimit`] if a quarter of that is of this person.
    pub async fn send_with<L: Letter>(
        &self,
        tx: &Tx,
        to: impl IntoRecipient,
        letter: &L,
        attachments: impl IntoIterator<Item = Attachment>,
    ) -> Result<LetterStatus, Error> {
        let about = (LetterKind::Application, &self.cause);
        let (to, most) = (to.into_recipient(), attachment::MOST);
        // One more than there may be, of a list that may have no end.
        let attachments: Vec<_> = attachments.into_iter().take(most + 1).collect();
        if attachments.len() > most {
            return Err(Error::TooManyAttachments { most });
        }
        self.queue_with(tx, about, to, letter, attachments).await
    }

    /// A stored file as an attachment. Decide first whether the recipient may have it: an id is no permission.
    ///
    /// # Errors
    /// [`Error::TooLarge`] if it cannot fit into a letter; [`Error::File`], as [`Uploads::serve`].
    pub async fn attachment(&self, uploads: &Uploads, id: &FileId) -> Result<Attachment, Error> {
        let most = self.shared.config.max_size;
        match uploads.whole(id, most).await? {
            Some(file) => Ok(Attachment::stored(file)),
            None => Err(Error::TooLarge { most }),
        }
    }

    /// Queues a letter of this kind, with this cause.
    pub(crate) async fn queue<L: Letter>(
        &self,
        tx: &Tx,
        about: (LetterKind, &MailQuota),
        to: Recipient,
        letter: &L,
    ) -> Result<LetterStatus, Error> {
        self.queue_with(tx, about, to, letter, Vec::new()).await
    }

    async fn queue_with<L: Letter>(
        &self,
        tx: &Tx,
        about: (LetterKind, &MailQuota),
        to: Recipient,
        letter: &L,
        attachments: Vec<Attachment>,
    ) -> Result<LetterStatus, Error> {
        let shared = &*self.shared;
        if !self.sends() {
            return Ok(LetterStatus::Disabled);
        }
        if !shared.letters.contains(&LetterType::of::<L>()) {
            return Err(Error::Unregistered(L::TEMPLATE));
        }
        let email = to.email.as_ref().ok_or(Error::Address)?;
        if let Some(list) = L::LIST
            && list::has_left(tx, list, email.key()).await?
        {
            return Ok(LetterStatus::Unsubscribed);
        }
        let now = shared.clock.now();
        let id = shared.new_id();
        let (most, pieces) = shared.room_of(&attachments)?;
        let frame = (id.as_str(), email.as_str(), now);
        let message = shared.write(frame, &to, letter, attachments)?;
        if u64::try_from(message.len()).unwrap_or(u64::MAX) > most {
            return Err(Error::TooLarge { most });
        }
        let room = queue::room(tx, about, email.key(), shared.limits(), now).await?;
        if room == Room::AddressRefused {
            return Ok(LetterStatus::AddressRefused);
        }
        let valid = L::VALID_FOR.map(seconds);
        let content = shared.seal(&id, &message, pieces)?;
        queue::room_for_parts(tx, about.1, content.size(), shared.limits()).await?;
        let letter = NewLetter {
            id: &id,
            kind: about.0,
            cause: about.1,
            template: L::TEMPLATE,
            list: L::LIST,
            address: email.as_str(),
            address_key: email.key(),
            now,
            useless_at: valid.map_or(queue::NEVER, |valid| now.saturating_add(valid)),
            content,
        };
        queue::add(tx, letter).await?;
        let shared = Arc::clone(&self.shared);
        tx.after_commit(move || shared.queued.notify_one());
        Ok(LetterStatus::Queued)
    }
}

impl Shared {
    /// An id that begins with the time and a number, so that ids have the order in which letters were queued.
    fn new_id(&self) -> String {
        let random = HEXLOWER.encode(&random::<10>());
        let number = self.queued_so_far.fetch_add(1, Ordering::Relaxed);
        format!("{:011x}{number:04x}{random}", self.clock.milliseconds())
    }

    fn limits(&self) -> Limits {
        let number = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
        Limits {
            recipient: number(self.config.recipient_limit),
            sender: number(self.config.sender_limit),
            window: self.config.limit_window,
            waiting: number(self.config.max_waiting),
            waiting_bytes: number(self.config.max_waiting_bytes),
        }
    }

    /// The most bytes of a letter with these attachments. They are counted before one of them is encoded.
    fn room_of(&self, attachments: &[Attachment]) -> Result<(u64, Pieces), Error> {
        if attachments.is_empty() {
            return Ok((LARGEST, Pieces::One));
        }
        let most = self.config.max_size;
        let sizes = attachments.iter().map(|one| one.size() as u64);
        if sizes.fold(0, u64::saturating_add) > most {
            return Err(Error::TooLarge { most });
        }
        Ok((most, Pieces::Many))
    }

    /// A letter that may be large is in parts.
    fn seal(&self, id: &str, message: &str, pieces: Pieces) -> Result<Content, Error> {
        let failed = |error: crate::secrets::Error| Error::Letter(error.to_string());
        if pieces == Pieces::One {
            let sealed = CONTENT.seal(&self.ring, id, message);
            return Ok(Content::One(sealed.map_err(failed)?));
        }
        let size = i64::try_from(message.len()).unwrap_or(i64::MAX);
        let parts = parts::seal(&self.ring, id, message).map_err(failed)?;
        Ok(Content::Parts(size, parts))
    }

    /// The link by which this recipient leaves the list of a letter, if it has one.
    fn way_out<L: Letter>(&self, to: &Recipient) -> Result<Option<String>, Error> {
        let (Some(list), Some(email)) = (L::LIST, &to.email) else {
            return Ok(None);
        };
        let link = list::link(&self.ring, &self.origin, list, email.key());
        link.map(Some)
            .map_err(|error| Error::Letter(error.to_string()))
    }

    /// The letter as a message.
    fn write<L: Letter>(
        &self,
        (id, address, now): (&str, &str, i64),
        to: &Recipient,
        letter: &L,
        attachments: Vec<Attachment>,
    ) -> Result<String, Error> {
        let language = match &to.language {
            Some(tag) => self.languages.named(tag),
            None => self.languages.first(),
        };
        let unsubscribe = self.way_out::<L>(to)?;
        let facts = LetterFacts {
            language: &language,
            origin: &self.origin,
            recipient: to.name.as_deref(),
            unsubscribe: unsubscribe.as_deref(),
        };
        let values = letter.fill(Page::new(L::TEMPLATE));
        let rendered = self.templates.render(L::TEMPLATE, &values, &facts);
        let rendered = rendered.map_err(|error| Error::Letter(format!("{error:#}")))?;
        let envelope = Envelope {
            from: &self.from,
            to: address,
            name: to.name.as_deref(),
            host: &self.host,
            id,
            now,
            list: L::LIST.zip(unsubscribe.as_deref()),
        };
        message(envelope, rendered, attachments)
    }
}

impl fmt::Debug for Mailer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mailer")
            .field("sends", &self.sends())
            .finish_non_exhaustive()
    }
}
