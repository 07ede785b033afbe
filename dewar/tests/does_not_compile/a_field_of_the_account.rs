// A field of the application's own with the name of a field of the account: whose value would it be?
use dewar::Form;
use dewar::accounts::{AccountFields, FieldsError, SignUpWith};
use dewar::database::Tx;
use dewar::forms::{FieldSpec, Line, Model};
use dewar::sessions::UserId;

#[derive(Form)]
struct Extra {
    email: Line<80>,
}

impl AccountFields for Extra {
    async fn store(self, _: &Tx, _: UserId) -> Result<(), FieldsError<Self>> {
        Ok(())
    }
}

// What a mounted `accounts::sign_up_with::<Extra>` asks for.
const FIELDS: &[FieldSpec] = <SignUpWith<Extra> as Model>::FIELDS;

fn main() {}
