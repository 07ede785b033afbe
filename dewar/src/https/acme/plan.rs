//! When to renew a certificate: a pure function from the known state to the next step.

const HOUR: i64 = 3_600;
const DAY: i64 = 24 * HOUR;

/// Dewar asks for renewal information at least twice a day (RFC 9773, 4.3.3; Let's Encrypt).
const ASK_EVERY: i64 = 12 * HOUR;
/// The lower bound of `Retry-After`: Dewar asks at most once an hour, even if the authority wants it in a second.
const ASK_AT_MOST_EVERY: i64 = HOUR;
/// Dewar ignores renewal information that is older than this.
const WORD_HOLDS: i64 = 2 * DAY;
/// Certificates with a shorter lifetime are renewed halfway, others with a third left.
const SHORT_LIFE: i64 = 10 * DAY;
/// The delay after the first failure, the second and so on; after that, always the last one.
const AFTER_FAILURE: [i64; 4] = [60, 600, 6_000, DAY];

/// The validity of a certificate, in Unix seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Validity {
    pub(super) from: i64,
    pub(super) until: i64,
}

impl Validity {
    /// When to renew without information from the authority: a third of the lifetime before its end, or halfway if the
    /// lifetime is short. Never a number of days: lifetimes shrink from 90 days to 45 and to 6.
    pub(super) const fn backstop(self) -> i64 {
        let life = self.until - self.from;
        if life < SHORT_LIFE {
            self.from + life / 2
        } else {
            self.until - life / 3
        }
    }

    /// The last moment that leaves time for some failures.
    const fn last_call(self) -> i64 {
        self.until - (self.until - self.from) / 10
    }
}

/// The authority's renewal information (ARI), and the random moment in its window.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct AriAnswer {
    /// When Dewar asked last, with or without an answer.
    pub(super) asked_at: Option<i64>,
    /// When Dewar asks again.
    pub(super) ask_again: i64,
    /// When the last answer came.
    pub(super) answered_at: Option<i64>,
    /// The random moment of renewal.
    pub(super) renew_at: Option<i64>,
}

/// A suggested window (RFC 9773, 4.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct RenewalWindow {
    pub(super) start: i64,
    pub(super) end: i64,
}

impl AriAnswer {
    /// Notes an answer. `dice` is a random number: many servers must not renew at once.
    ///
    /// The moment stays while the new window still holds it. A new random moment for each answer would move all
    /// renewals to the window's beginning.
    pub(super) fn on_ari_window(
        self,
        window: RenewalWindow,
        retry_after: i64,
        now: i64,
        dice: u64,
    ) -> Self {
        let kept = self
            .renew_at
            .filter(|at| (window.start..window.end).contains(at));
        let width = u64::try_from(window.end.saturating_sub(window.start)).unwrap_or(0);
        let drawn = (width > 0)
            .then(|| i64::try_from(dice % width.max(1)).unwrap_or(0))
            .and_then(|offset| window.start.checked_add(offset));
        Self {
            asked_at: Some(now),
            ask_again: now + retry_after.clamp(ASK_AT_MOST_EVERY, ASK_EVERY),
            answered_at: drawn.map_or(self.answered_at, |_| Some(now)),
            renew_at: kept.or(drawn).or(self.renew_at),
        }
    }

    /// Notes that the authority did not answer.
    pub(super) fn silence(self, now: i64) -> Self {
        Self {
            asked_at: Some(now),
            ask_again: now + ASK_AT_MOST_EVERY,
            ..self
        }
    }
}

/// The failures since the last success.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Failures {
    pub(super) in_a_row: u32,
    /// Dewar orders nothing before this time.
    pub(super) wait_until: i64,
}

impl Failures {
    /// Counts one more failure.
    pub(super) fn and_another(self, now: i64) -> Self {
        let index = usize::try_from(self.in_a_row).unwrap_or(usize::MAX);
        let wait = AFTER_FAILURE.get(index).copied().unwrap_or(DAY);
        Self {
            in_a_row: self.in_a_row.saturating_add(1),
            wait_until: now + wait,
        }
    }
}

/// The next step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// Ask the authority when to renew the certificate.
    Ask,
    /// Order a certificate.
    Order,
    /// Do nothing before this moment.
    Wait(i64),
}

/// The next step for this certificate, or for the first one.
pub(super) fn next(
    certificate: Option<Validity>,
    word: AriAnswer,
    asks: AriSupport,
    failures: Failures,
    now: i64,
) -> Next {
    let Some(validity) = certificate else {
        return due(i64::MIN, failures, now);
    };
    let renewal = renewal(validity, word, now);
    if now >= renewal {
        return due(renewal, failures, now);
    }
    if asks == AriSupport::Never {
        return Next::Wait(renewal);
    }
    if word.asked_at.is_none() || now >= word.ask_again {
        return Next::Ask;
    }
    Next::Wait(renewal.min(word.ask_again))
}

/// Whether the authority has renewal information (ARI).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum AriSupport {
    Never,
    Sometimes,
}

/// The moment of renewal: the authority's, if it answered recently and leaves enough time, otherwise the backstop.
pub(super) fn renewal(validity: Validity, word: AriAnswer, now: i64) -> i64 {
    let heard_of_late = word.answered_at.is_some_and(|at| now - at <= WORD_HOLDS);
    match word.renew_at {
        Some(at) if heard_of_late => at.min(validity.last_call()),
        Some(_) | None => validity.backstop(),
    }
}

const fn due(since: i64, failures: Failures, now: i64) -> Next {
    if now >= failures.wait_until && now >= since {
        Next::Order
    } else {
        Next::Wait(failures.wait_until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const START: i64 = 1_800_000_000;

    fn days(life: i64) -> Validity {
        Validity {
            from: START,
            until: START + life * DAY,
        }
    }

    fn wait(next: Next) -> i64 {
        match next {
            Next::Wait(until) => until,
            Next::Ask | Next::Order => panic!("{next:?}"),
        }
    }

    #[test]
    fn an_authority_that_is_silent_is_asked_again_and_what_it_said_stays() {
        let word = AriAnswer {
            asked_at: Some(START - DAY),
            ask_again: START,
            answered_at: Some(START - DAY),
            renew_at: Some(START + DAY),
        };
        let silent = word.silence(START);
        assert_eq!(silent.asked_at, Some(START));
        assert_eq!(silent.ask_again, START + ASK_AT_MOST_EVERY);
        assert_eq!(silent.answered_at, word.answered_at);
        assert_eq!(silent.renew_at, word.renew_at);
    }

    #[test]
    fn a_third_of_the_life_is_left_or_half_of_a_short_one() {
        assert_eq!(days(90).backstop(), START + 60 * DAY);
        assert_eq!(days(45).backstop(), START + 30 * DAY);
        assert_eq!(days(6).backstop(), START + 3 * DAY);
        let hours = Validity {
            from: START,
            until: START + 160 * HOUR,
        };
        assert_eq!(hours.backstop(), START + 80 * HOUR);
    }

    #[test]
    fn without_a_certificate_one_is_ordered_at_once() {
        let found = next(
            None,
            AriAnswer::default(),
            AriSupport::Sometimes,
            Failures::default(),
            START,
        );
        assert_eq!(found, Next::Order);
    }

    #[test]
    fn the_authority_is_asked_at_once_and_then_twice_a_day() {
        let ask = |word, now| {
            next(
                Some(days(90)),
                word,
                AriSupport::Sometimes,
                Failures::default(),
                now,
            )
        };
        assert_eq!(ask(AriAnswer::default(), START), Next::Ask);
        let window = RenewalWindow {
            start: START + 50 * DAY,
            end: START + 51 * DAY,
        };
        let word = AriAnswer::default().on_ari_window(window, 6 * HOUR, START, 7);
        assert_eq!(wait(ask(word, START + 1)), START + 6 * HOUR);
        assert_eq!(ask(word, START + 6 * HOUR), Next::Ask);
        let lazy = AriAnswer::default().on_ari_window(window, 300 * DAY, START, 7);
        assert_eq!(ask(lazy, START + 12 * HOUR), Next::Ask);
        let hasty = AriAnswer::default().on_ari_window(window, 0, START, 7);
        assert_eq!(wait(ask(hasty, START + 1)), START + HOUR);
    }

    #[test]
    fn the_authority_can_bring_a_renewal_forward_and_put_it_off() {
        let at = |window: RenewalWindow, now: i64| {
            let word = AriAnswer::default().on_ari_window(window, 6 * HOUR, now, 3);
            renewal(days(90), word, now)
        };
        let past = RenewalWindow {
            start: START - 2,
            end: START - 1,
        };
        assert!(at(past, START) < START);
        let late = RenewalWindow {
            start: START + 70 * DAY,
            end: START + 71 * DAY,
        };
        assert_eq!(at(late, START), START + 70 * DAY + 3);
        // The window does not move the renewal so far that no time is left for a failure.
        let never = RenewalWindow {
            start: START + 400 * DAY,
            end: START + 401 * DAY,
        };
        assert_eq!(at(never, START), START + 81 * DAY);
    }

    #[test]
    fn a_window_that_ends_before_it_begins_is_no_answer() {
        let window = RenewalWindow {
            start: START + 5,
            end: START + 5,
        };
        let word = AriAnswer::default().on_ari_window(window, 6 * HOUR, START, 3);
        assert_eq!((word.answered_at, word.renew_at), (None, None));
        assert_eq!(renewal(days(90), word, START), days(90).backstop());
    }

    #[test]
    fn a_drawn_moment_stays_while_the_window_holds_it() {
        let window = |end| RenewalWindow {
            start: START,
            end: START + end,
        };
        let first = AriAnswer::default().on_ari_window(window(1_000), 0, START, 500);
        assert_eq!(
            first.on_ari_window(window(900), 0, START, 3).renew_at,
            first.renew_at
        );
        assert_eq!(
            first.on_ari_window(window(100), 0, START, 3).renew_at,
            Some(START + 3)
        );
    }

    #[test]
    fn a_word_that_grew_old_counts_no_more() {
        let window = RenewalWindow {
            start: START + 80 * DAY,
            end: START + 81 * DAY,
        };
        let word = AriAnswer::default().on_ari_window(window, 6 * HOUR, START, 0);
        let silent = word.silence(START + 3 * DAY);
        assert_eq!(
            renewal(days(90), silent, START + 3 * DAY),
            days(90).backstop()
        );
    }

    #[test]
    fn failures_wait_longer_and_longer_and_then_a_day_each() {
        let mut failures = Failures::default();
        let mut waits = Vec::new();
        for _ in 0..6 {
            failures = failures.and_another(START);
            waits.push(failures.wait_until - START);
        }
        assert_eq!(waits, [60, 600, 6_000, DAY, DAY, DAY]);
        let found = |now| next(None, AriAnswer::default(), AriSupport::Never, failures, now);
        assert_eq!(wait(found(START + DAY - 1)), START + DAY);
        assert_eq!(found(START + DAY), Next::Order);
    }

    proptest! {
        #[test]
        fn a_certificate_is_renewed_in_its_life_whatever_the_authority_says(
            life in 3_600_i64..400 * DAY, start in any::<i64>(), end in any::<i64>(),
            again in any::<i64>(), dice in any::<u64>(),
        ) {
            let validity = Validity { from: START, until: START + life };
            let word = AriAnswer::default().on_ari_window(RenewalWindow { start, end }, again, START, dice);
            prop_assert!(renewal(validity, word, START) < validity.until);
            prop_assert!(word.ask_again > START);
        }
    }
}
