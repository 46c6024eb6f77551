//! What is wrong with 設定文書 as a text, and what stands against applying it: in English, and in Japanese. The table beside
//! this one is of what it says.

/// As the sentences of the checks. `{1件}` is a list of counts.
pub const WRITTEN: &[(&str, &str)] = &[
    // The text.
    ("there are more problems from here on: {}", "ここから先にも誤りがあります。まず上の誤りを直してください。"),
    (
        "the document has {} bytes, more than {}: {}",
        "設定文書が{0}バイトあります。{1}バイトまでです。商品はCSVで取り込んでください。",
    ),
    ("the document is empty: {}", "設定文書が空です。少なくとも tenant が必要です。"),
    ("a tab stands where YAML needs spaces: {}", "タブではなく、半角の空白で字下げしてください。"),
    ("this is not YAML: {}", "YAMLとして読めません: {0}"),
    (
        "a second document begins here (`---`): {}",
        "ここから2つ目の文書（---）が始まっています。1つの文書に1社分だけを書いてください。",
    ),
    ("the key {} stands here a second time, first on line {}", "キー {0} が2回書かれています（最初は{1}行目）。"),
    ("tags (`!`) are not used here: {}", "タグ（!）は使えません。! で始まる文字は引用符で囲んでください。"),
    (
        "a list or mapping stands where a key should be: {}",
        "キーの場所に一覧や入れ子があります。{{ }} を含む文字は引用符で囲んでください。",
    ),
    ("this is nested more than {} levels deep", "入れ子は{0}段までです。"),
    ("the document holds more than {} values", "設定文書の値は{0}個までです。"),
    (
        "anchors and aliases (`&`, `*`) are not used here: {}",
        "アンカーと別名（& と *）は使えません。値をそのまま書くか、引用符で囲んでください。",
    ),
    (
        "a secret never stands in a document: {}",
        "パスワードやトークンは設定文書に書きません。{ env: 名前 } の形で書き、値はこの画面で入力してください。",
    ),
    ("this must be a list: write [{}]", "一覧です。[{0}] と書いてください。"),
    ("this must be {}: begin each entry with `- `", "一覧です。1件ずつ「- 」で始めてください。"),
    ("the key {} is not known here: did you mean {}?", "キー {0} はここでは使えません。{1} のことですか。"),
    ("this must be a number: write {} without quotes", "数です。引用符を付けずに {0} と書いてください。"),
    ("this must be true or false: write {} without quotes", "引用符を付けずに {0} と書いてください。"),
    ("{} is out of bounds: this must be a whole number, 0 or more", "{0} は範囲外です。0以上の整数にしてください。"),
    ("{} is out of bounds: this must be {}", "{0} は範囲外です。"),
    (
        "{} means yes or no ({}): {}",
        "{0} は「はい・いいえ」の意味（{1}）になります。文字として使うなら引用符で囲んでください。",
    ),
    // Applying.
    (
        "{} is not in the document any more, but has open shipments: {}. Let its shops {}",
        "発送元 {0} には未出荷の出荷指示があります（{1件}）。ショップの発送元を別のものに変え、これらを出荷するかキャンセルする\
         まで残してください。",
    ),
    (
        "{} is not in the document any more, but has {}. Take its easy set-up {}",
        "ショップ {0} には済んでいないものがあります（{1件}）。かんたん設定から外し、ほかのロボットを残りがなくなるまで動かし、\
         取込保留の受注を確認してから削除してください。",
    ),
    // What a shop's robots will spend. It is said of so many orders a day, too, and robot by robot.
    (
        "{} calls a day are {} % of the {} that the shop bears: write `every: {}`, or agree on {} calls a day with the \
         shop ({})",
        "1日のAPI呼び出しは{0}回で、上限{2}回の{1} %です。上限を超えると翌日9時まで連携が止まります。\
         間隔を「{3間隔}」にするか、ショップの契約を1日{4}回にしてください。",
    ),
    (
        "{} calls a day are {} % of the {} that the shop bears: let the robots start less often, or agree on {} calls a \
         day with the shop ({})",
        "1日のAPI呼び出しは{0}回で、上限{2}回の{1} %です。上限を超えると翌日9時まで連携が止まります。\
         ロボットの実行を減らすか、ショップの契約を1日{3}回にしてください。",
    ),
    (
        "{} calls a day are {} % of the {} that the shop bears, and no interval mends that: agree on {} calls a day with \
         the shop ({})",
        "1日のAPI呼び出しは{0}回で、上限{2}回の{1} %です。上限を超えると翌日9時まで連携が止まります。\
         間隔を広げても足りません。ショップの契約を1日{3}回にしてください。",
    ),
    ("{} calls a day of {} ({} %)", "1日のAPI呼び出しは{0}回で、上限{1}回の{2} %です。"),
];
