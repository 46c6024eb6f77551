//! What a merchant sets up, before it works and when it is wrong: the document's life, the secrets that it leaves as they
//! are, mistakes in it, and what robots would do by it. They are one program because each program deploys the stack anew.

mod document_life;
mod dry_run;
mod history;
mod kept_secrets;
mod mistakes;
