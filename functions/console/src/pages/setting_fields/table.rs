//! The fields of each form, in Japanese and English.

use super::Input::{self, Hours, Line, Lines, Number, Prefecture, Secret, ShipFrom, SignIn, Yes};

/// A field: its place in the document, its label and hint in both languages, how it is entered, and whether it is kept in
/// the document where it is empty.
pub struct Asked {
    pub key: &'static str,
    pub label: [&'static str; 2],
    pub hint: [&'static str; 2],
    pub input: Input,
    pub is_needed: bool,
}

/// Fields that belong together, with their label in both languages.
pub type Section = ([&'static str; 2], &'static [Asked]);

const fn asked(
    key: &'static str,
    label: [&'static str; 2],
    hint: [&'static str; 2],
    input: Input,
    is_needed: bool,
) -> Asked {
    Asked { key, label, hint, input, is_needed }
}

/// How the shop's payment states are written, and where to read them.
const PAYMENT_STATES: [&str; 2] = [
    "1行に1つ、英字の決済状況（例: cash_on_delivery_authed）。出荷の「入金」欄に灰色で出る文字です",
    "one a line, as the shop writes it, such as cash_on_delivery_authed: what a shipment shows in grey beside its payment",
];

/// 発送元.
pub const SHIP_FROM: &[Section] = &[(
    ["発送元", "Ship-from"],
    &[
        asked("id", ["ID", "Id"], ["半角の英小文字・数字とハイフン", "a–z, 0–9 and -"], Line, true),
        asked("name", ["発送元名", "Name"], ["", ""], Line, true),
        asked("postal_code", ["郵便番号", "Postal code"], ["135-0064", "135-0064"], Line, true),
        asked("prefecture", ["都道府県", "Prefecture"], ["", ""], Prefecture, true),
        asked("address", ["住所（市区町村以降）", "Address below it"], ["", ""], Line, true),
        asked("phone", ["電話番号", "Phone"], ["", ""], Line, true),
        asked(
            "warehouse",
            ["倉庫ID", "Warehouse id"],
            [
                "この発送元の出荷を受け取る倉庫。キーは「倉庫のキーとWebhook」で発行",
                "who takes its shipments; keys are made under “Warehouse keys”",
            ],
            Line,
            true,
        ),
        asked(
            "counts_include_claimed",
            ["在庫の計数に出荷準備中の分を含む", "Counts include what is claimed"],
            [
                "倉庫が、出荷準備中でまだ出荷していない商品も数えて報告するとき",
                "where the warehouse counts what it has taken and not sent yet, too",
            ],
            Yes,
            false,
        ),
    ],
)];

/// API認証設定.
pub const CONNECTION: &[Section] = &[
    (
        ["ecforceとの接続", "Connection to ecforce"],
        &[
            asked("id", ["ID", "Id"], ["半角の英小文字・数字とハイフン", "a–z, 0–9 and -"], Line, true),
            asked(
                "api_url",
                ["API URL", "API URL"],
                [
                    "api.○○○.com、https://○○○.jp/api など、お手元の形のまま",
                    "in whatever form you have it: api.shop.example, https://shop.example/api",
                ],
                Line,
                true,
            ),
            asked("sign_in", ["認証の方法", "Signs in with"], ["", ""], SignIn, true),
            asked(
                "secret",
                ["パスワードまたはトークン", "Password or token"],
                [
                    "登録後は表示されません。空欄なら登録済みのものをそのまま使います",
                    "never shown again; left empty, the stored one stays",
                ],
                Secret,
                false,
            ),
            asked(
                "email",
                ["メールアドレス", "E-mail"],
                ["空欄なら連携サービスのアドレスを使います", "left empty: the service's own"],
                Line,
                false,
            ),
            asked("ship_from", ["発送元", "Ship-from"], ["", ""], ShipFrom, true),
            asked(
                "stock_location_code",
                ["在庫ロケーションコード", "Stock location code"],
                ["在庫連携を使うときだけ", "for inventory only"],
                Line,
                false,
            ),
        ],
    ),
    (
        ["API呼び出し", "API calls"],
        &[
            asked(
                "daily_call_limit",
                ["1日の上限（回）", "Most calls a day"],
                ["ショップの契約の回数。9時に数え直し", "by the shop's contract; counted anew at 09:00"],
                Number,
                true,
            ),
            asked("call_interval_ms", ["呼び出しの間隔（ミリ秒）", "Between two calls (ms)"], ["", ""], Number, true),
            asked(
                "batch_size",
                ["1回の書き込みの件数", "Most records in one write"],
                ["実績があるのは100件まで", "up to 100 is proven"],
                Number,
                true,
            ),
        ],
    ),
    (
        ["出荷と売上", "Shipping and payment"],
        &[
            asked(
                "automation_option",
                [
                    "自動化オプションあり（ショップ自身が出荷済みに変える）",
                    "Automation option (the shop moves orders to “shipped” itself)",
                ],
                ["", ""],
                Yes,
                false,
            ),
            asked(
                "capture_payment_on_shipping",
                ["出荷時に売上処理をする", "Capture the payment when it is shipped"],
                ["", ""],
                Yes,
                false,
            ),
            asked(
                "captured_payment_states",
                ["売上済みの決済状況", "Payment states that are captured already"],
                [
                    "1行に1つ、英字の決済状況。この状況の注文には売上処理をしません",
                    "one a line; of these, none is captured again",
                ],
                Lines,
                true,
            ),
            asked(
                "stock_buffer",
                ["安全在庫（商品ごとの指定がないとき）", "Stock buffer where a product has none"],
                ["", ""],
                Number,
                false,
            ),
            asked(
                "status_sync.hold_differences",
                ["ショップで注文が変わった出荷を要確認で保留にする", "Hold what was edited at the shop for review"],
                ["", ""],
                Yes,
                false,
            ),
            asked(
                "status_sync.cancellation_answer",
                ["倉庫がキャンセル依頼に答える期限", "A warehouse answers a cancellation within"],
                ["", ""],
                Hours,
                true,
            ),
        ],
    ),
    (
        ["対応状況（ecforceの対応状況管理の「名前」）", "States, as this shop calls them"],
        &[
            asked(
                "states.fetch",
                ["取得する対応状況", "State to fetch"],
                [
                    "complete などの英字。表示名ではありません",
                    "its name in letters such as complete, not what ecforce displays",
                ],
                Line,
                true,
            ),
            asked("states.working", ["取得後の対応状況", "Once fetched"], ["working", "working"], Line, true),
            asked("states.shipped", ["出荷済みの対応状況", "Once shipped"], ["shipped", "shipped"], Line, true),
            asked("states.cancelled", ["キャンセルの対応状況", "Cancelled"], ["1行に1つ", "one a line"], Lines, true),
        ],
    ),
    (
        ["決済状況の対応表（標準と違うものだけ）", "Payment states that mean something else than usual"],
        &[
            asked("payment_states.paid", ["入金済みとするもの", "Paid"], PAYMENT_STATES, Lines, true),
            asked("payment_states.wait", ["入金待ちとするもの", "Waits"], PAYMENT_STATES, Lines, true),
            asked(
                "payment_states.cancelled",
                ["キャンセルとするもの", "Cancels the order"],
                PAYMENT_STATES,
                Lines,
                true,
            ),
        ],
    ),
];

/// 配送方法. The carrier's id at each shop comes after it.
pub const SHIPPING_METHOD: &[Section] = &[(
    ["配送方法", "Shipping method"],
    &[
        asked("id", ["ID", "Id"], ["半角の英小文字・数字とハイフン", "a–z, 0–9 and -"], Line, true),
        asked("name", ["配送方法名", "Name"], ["", ""], Line, true),
        asked("warehouse_code", ["WMS配送方法", "What the warehouse calls it"], ["倉庫での呼び名", ""], Line, true),
        asked(
            "keywords",
            ["キーワード", "Keywords"],
            ["ショップの配送業者名に含まれる言葉。1行に1つ", "parts of the shop's carrier name, one a line"],
            Lines,
            false,
        ),
        asked(
            "default",
            ["既定（どのキーワードにも当てはまらない注文）", "Default, where no keyword matches"],
            ["", ""],
            Yes,
            false,
        ),
    ],
)];
