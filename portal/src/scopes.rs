use dewar::api::ApiScope;

use crate::Role;

/// What an API token may do. Each scope is a member's: a token loses it when its owner stops being a member.
#[derive(ApiScope, Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scope {
    #[scope(label = "Comment on documents", role = Role::Member)]
    CommentsWrite,
    #[scope(label = "Read documents", role = Role::Member)]
    DocumentsRead,
    #[scope(label = "Hand in and change documents", role = Role::Member)]
    DocumentsWrite,
}
