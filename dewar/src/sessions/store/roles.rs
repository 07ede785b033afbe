//! The roles of a user: one piece of SQL for all statements that read them, and their order.

/// The names of the roles of the user `u`, as a piece of a statement. The server does not sort them: [`in_order`] does, for every
/// reader, so that the texts of two statements can be compared.
macro_rules! roles_of_user {
    () => {
        "(SELECT string_agg(r.role, ' ') FROM dewar_user_roles r WHERE r.user_id = u.id)"
    };
}

/// The columns of the user `u` that [`read_person`](super::read_person) reads.
macro_rules! person_columns {
    () => {
        concat!(
            "u.id, u.email, u.name, u.picture, u.disabled_at, u.session_generation, ",
            $crate::sessions::roles_of_user!(),
            ", u.second_factor_at"
        )
    };
}

pub(crate) use {person_columns, roles_of_user};

/// The names of [`roles_of_user`] in order. Nearly always they are: both engines read them from the primary key.
pub(crate) fn in_order(roles: Option<String>) -> String {
    let roles = roles.unwrap_or_default();
    if roles.split_ascii_whitespace().is_sorted() {
        return roles;
    }
    let mut names: Vec<&str> = roles.split_ascii_whitespace().collect();
    names.sort_unstable();
    names.join(" ")
}

#[cfg(test)]
mod tests {
    use super::in_order;

    /// Otherwise a session would take another order of the same roles for a change.
    #[test]
    fn roles_are_in_order_whatever_the_order_of_the_rows() {
        for (read, ordered) in [
            (None, ""),
            (Some(""), ""),
            (Some("member"), "member"),
            (Some("member reviewer"), "member reviewer"),
            (
                Some("reviewer administrator member"),
                "administrator member reviewer",
            ),
        ] {
            assert_eq!(in_order(read.map(str::to_owned)), ordered, "{read:?}");
        }
    }
}
