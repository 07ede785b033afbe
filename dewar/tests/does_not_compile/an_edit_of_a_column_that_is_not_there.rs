// A field that the record does not have would be shown, posted, and forgotten.
use dewar::Form;
use dewar::forms::Line;

mod note {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "notes")]
    pub struct Model {
        #[sea_orm(primary_key)]
        pub id: i64,
        pub title: String,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

#[derive(Form)]
#[form(edits = note::Model)]
struct EditNote {
    title: Line<80>,
    subtitle: Line<80>,
}

fn main() {}
