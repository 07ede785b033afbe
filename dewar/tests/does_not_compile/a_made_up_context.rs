// The context of a request is the stack's: nobody else puts a session into one.
use dewar::pages::RequestContext;

fn of_somebody_else(mine: &RequestContext, theirs: RequestContext) -> RequestContext {
    RequestContext {
        facts: theirs.facts,
        admission: mine.admission.clone(),
    }
}

fn main() {}
