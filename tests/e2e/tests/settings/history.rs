//! 変更履歴: as many versions are read as are shown, however large a merchant's settings have become.

use jiff::Timestamp;
use renkei_domain::ids::TenantId;
use renkei_domain::settings::TenantSettings;
use renkei_e2e::store;
use serde_json::json;

const TENANT: &str = "large-versions";
/// Of six bits each, which is what packing leaves of them: some 210 KB.
const SIGNS: usize = 280_000;

/// Signs without any order, others for each seed (Marsaglia's xorshift).
fn noise(seed: u64) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut state = seed;
    let signs = (0..SIGNS).map(|_| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        char::from(ALPHABET[(state >> 58) as usize])
    });
    signs.collect()
}

/// DynamoDB reads a megabyte in one go, which are four of these versions.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn as_many_versions_are_read_as_are_asked_for_however_large_they_are() {
    let tenant = store().await.tenant(TenantId::parse(TENANT).expect("an id"));
    for version in 1..=7 {
        let settings: TenantSettings = serde_json::from_value(json!({
            "tenant": TENANT,
            "ship_froms": [{ "id": "dc", "name": "第一倉庫", "postal_code": "135-0064", "prefecture": "東京都",
                             "address": noise(version), "phone": "03-0000-0000", "warehouse": TENANT }],
        }))
        .expect("settings");
        let applied = tenant.apply_settings(&settings, version - 1, Timestamp::now(), "the tests").await;
        assert_eq!(applied.expect("applied").version, version);
    }
    let versions = async |before: Option<u64>, most: i32| -> Vec<u64> {
        let read = tenant.settings_versions(before, most).await.expect("versions");
        read.iter().map(|applied| applied.version).collect()
    };
    assert_eq!(versions(None, 6).await, [7, 6, 5, 4, 3, 2]);
    assert_eq!(versions(Some(7), 9).await, [6, 5, 4, 3, 2, 1]);
}
