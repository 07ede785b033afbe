//! The values that a session stores for the application and for the framework.

use super::*;

#[derive(serde::Serialize, serde::Deserialize)]
struct Long(String);

impl SessionValue for Long {
    const NAME: &'static str = "long";
}

#[tokio::test]
async fn a_value_is_kept_up_to_its_size_and_for_no_visitor() {
    let house = House::open().await;
    let visitor = house.request(&HeaderMap::new()).await;
    let put = async |session: &Session, length: usize| {
        let text = "a".repeat(length);
        session
            .update(|value| *value = Some(Long(text.clone())))
            .await
    };
    assert!(matches!(put(&visitor, 1).await, Err(Error::Visitor)));
    assert!(visitor.value::<Long>().await.unwrap().is_none());
    let cookies = house.sign_in(&HeaderMap::new(), ADA, 0).await;
    let session = house.request(&cookies).await;
    // The JSON includes the quotes.
    let most = 16 * 1024 - 2;
    put(&session, most).await.unwrap();
    let refused = put(&session, most + 1).await;
    assert!(matches!(refused, Err(Error::TooLarge { size, most }) if size == most + 1));
    let kept = session.value::<Long>().await.unwrap().unwrap();
    assert_eq!(kept.0.len(), most);
    let mut seen = 0;
    session
        .update(|value: &mut Option<Long>| {
            seen = value.take().map_or(0, |value| value.0.len());
        })
        .await
        .unwrap();
    assert_eq!(seen, most);
    assert!(session.value::<Long>().await.unwrap().is_none());
    session.sign_out().await.unwrap();
    assert!(matches!(put(&session, 1).await, Err(Error::Ended)));
}

const NAMES: [&str; 18] = [
    "0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12", "13", "14", "15", "16",
    "17",
];

#[derive(serde::Serialize, serde::Deserialize)]
struct Numbered<const N: usize>;

impl<const N: usize> SessionValue for Numbered<N> {
    const NAME: &'static str = NAMES[N];
}

async fn keep<const N: usize>(session: &Session) -> Result<(), Error> {
    let change = |value: &mut Option<Numbered<N>>| *value = Some(Numbered);
    session.update(change).await
}

/// ASVS: V15.2.2
#[tokio::test]
async fn an_application_keeps_sixteen_values_and_the_framework_one_more() {
    let house = House::open().await;
    let ada = house.sign_in(&HeaderMap::new(), ADA, 0).await;
    let session = house.request(&ada).await;
    macro_rules! keep_all {
        ($($number:literal)*) => { $(keep::<$number>(&session).await.unwrap();)* };
    }
    keep_all!(0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15);
    let full = keep::<16>(&session).await;
    assert!(matches!(full, Err(Error::TooMany(16))), "{full:?}");
    keep::<7>(&session).await.expect("what is there may change");
    let own = |value: &mut Option<Numbered<16>>| *value = Some(Numbered);
    session.update_own(own).await.unwrap();
    let more = |value: &mut Option<Numbered<17>>| *value = Some(Numbered);
    let full = session.update_own(more).await;
    assert!(matches!(full, Err(Error::TooMany(17))), "{full:?}");
}
