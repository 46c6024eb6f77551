//! A tenant always has an owner, whoever removes whom at the same time.

use jiff::Timestamp;
use renkei_domain::ids::TenantId;
use renkei_domain::member::{Email, Role};
use renkei_e2e::{run, store};
use renkei_store::members::MemberChange;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_owners_who_remove_each_other_one_stays() {
    let tenant = store().await.tenant(TenantId::parse("two-owners").expect("an id"));
    let [a, b] = ["a@owners.example", "b@owners.example"].map(|email| Email::parse(email).expect("an address"));
    let now = Timestamp::now();
    for round in 0..20 {
        for email in [&a, &b] {
            assert_eq!(tenant.put_member(email, Role::Owner, now).await.expect("an owner"), MemberChange::Done);
        }
        let (one, other) = tokio::join!(tenant.remove_member(&a), async {
            if round % 2 == 0 { tenant.remove_member(&b).await } else { tenant.put_member(&b, Role::Admin, now).await }
        },);
        let both = [one.expect("an answer"), other.expect("an answer")];
        let owners =
            tenant.members().await.expect("members").iter().filter(|member| member.role == Role::Owner).count();
        assert_eq!(owners, 1, "{both:?}");
        assert!(both.contains(&MemberChange::Done) && both.contains(&MemberChange::LastOwner), "{both:?}");
    }
    let listed = run(&["member", "list", "--tenant", "two-owners", "--json"], None);
    assert!(!listed.out.contains("owners.example"), "without settings it is no tenant to list: {listed:?}");
    tenant.erase_everything().await.expect("nothing is left");
}
