//! The sentences of the checks, in English as they say them, and in Japanese.

const EMPTY: &str = "未入力です。入力してください。";

/// A sentence of the checks, `{}` for what it names, and the same in Japanese with `{0}`, `{1}` in their places. The first
/// that fits counts, so what is special stands before what is general.
pub const SENTENCES: &[(&str, &str)] = &[
    // Processing robots.
    ("the text is empty", EMPTY),
    ("this is empty: write something", EMPTY),
    ("the text has {} characters; {} is the most", "{0}文字あります。{1}文字までにしてください。"),
    ("a tag has at most {} characters", "ラベルは{0}文字までです。"),
    ("{} robots; {} is the most", "ロボットが{0}個あります。{1}個までです。"),
    ("`{}` is a built-in robot; choose another id", "「{0}」は標準のロボットのIDです。別のIDにしてください。"),
    ("another robot has the id `{}` already", "ID「{0}」は別のロボットが使っています。"),
    ("{} {} is used twice, first on line {}: each needs its own", "{0}が重複しています: {1}。別のものにしてください。"),
    ("{} {} is used twice, first: each needs its own", "{0}が重複しています: {1}。別のものにしてください。"),
    ("`{}` is named twice", "「{0}」が2回書かれています。"),
    (
        "`{}` is a robot of your own: {}",
        "「{0}」は自社のロボットで、無効（enabled: false）にしていなければ有効です。ここで有効にするのは標準のロボットだけです。",
    ),
    ("there is no built-in robot `{}`", "標準のロボット「{0}」はありません。"),
    ("there is no conversion robot `{}`", "変換ロボット「{0}」はありません。"),
    ("there is no processing robot `{}`", "処理ロボット「{0}」はありません。"),
    ("a robot cannot exclude itself", "自分自身を併用不可にはできません。"),
    ("the robot does nothing: give it an action", "処理がありません。処理を1つ以上追加してください。"),
    ("{} actions; {} is the most", "処理が{0}個あります。{1}個までです。"),
    (
        "a robot that runs always would notify again and again: {}",
        "「常に」動くロボットが履歴にメモを残すだけだと、何度も残します。ラベルを付けるなどの処理も加えると、変化があったときだけ残します。",
    ),
    (
        "`{}` ({}) and `{}` ({}) cannot be on together: {}",
        "「{0}」（{1}）と「{2}」（{3}）は併用できません。同じことを別々に決めるためです。どちらかを無効にしてください。",
    ),
    (
        "only a person takes `error` away: {}",
        "「エラー」の保留はロボットでは外せません。担当者が確認して解除してください。",
    ),
    ("there is no hold reason `{}` (there are {})", "保留の理由「{0}」はありません。使えるもの: {1}"),
    ("a robot cannot set `{}`", "ロボットでは項目「{0}」を書き換えられません。"),
    ("there is no shipping method `{}`", "配送方法「{0}」は登録されていません。"),
    ("a quantity is 1 to {}", "数量は1から{0}までです。"),
    ("name 1 to {} SKUs, or a `temperature`", "商品コードを1個から{0}個、または温度帯を指定してください。"),
    ("name 1 to {} SKUs", "商品コードを1個から{0}個指定してください。"),
    (
        "more than {} tests in one condition: make several robots of it",
        "条件が{0}個を超えています。ロボットを分けてください。",
    ),
    ("nested more than {} deep: make several robots of it", "条件の入れ子は{0}段までです。ロボットを分けてください。"),
    (
        "an empty `any` never holds: give it a condition",
        "「いずれか」の中が空のため、当てはまることがありません。条件を追加してください。",
    ),
    ("there is no field `{}`", "項目「{0}」はありません。"),
    (
        "`{}` is not an attribute that shops are known to send: was `order.{}` meant?",
        "「{0}」はショップが送る項目として知られていません。「order.{1}」のことですか。",
    ),
    ("give 1 to {} values, not {}", "値を1個から{0}個指定してください（いまは{1}個）。"),
    (
        "`{}` is neither a number nor a day: {}",
        "「{0}」は数でも日付でもありません。5000、2026-12-01、today、today+3 のように書いてください。",
    ),
    (
        "more than {} `matches` over all robots: {}",
        "正規表現は全ロボットで{0}個までです。「含む」や「いずれか」を使ってください。",
    ),
    ("the pattern has {} characters; {} is the most", "正規表現が{0}文字あります。{1}文字までにしてください。"),
    ("the pattern is too large: {}", "正規表現が大きすぎます。{1,20} のような繰り返しを減らすか、小さくしてください。"),
    ("the pattern cannot be read: {}", "正規表現として読めません: {0}"),
    ("the field never is `{}`", "この項目が「{0}」になることはありません。"),
    (
        "`{}` looks at the payment before any robot derives it: {}",
        "「{0}」は入金ステータスを、それを決めるロボットより先に見ています。標準のロボット\
         「EC Force 出荷指示取込み時入金ステータス確認」（payment-check）をその前に有効にしてください。",
    ),
    (
        "no robot makes the shipments of the connection `{}` ready: its orders go through the conversion robot `{}`, and `{}` is tied to others",
        "ショップ「{0}」の出荷を出荷待ちにするロボットがありません。このショップの受注は変換ロボット「{1}」で変換しますが、「{2}」は別の変換ロボットに紐づいています。",
    ),
    (
        "an order is split into parcels when it is imported, and never later: {}",
        "分割できるのは取込時だけです。実行を「取込時」にしてください。",
    ),
    ("no product {} is in this document", "商品 {0} は設定文書にありません。"),
    // Conversion robots.
    (
        "there is no built-in conversion robot {}: the one to copy is {}",
        "標準の変換ロボット {0} はありません。コピー元は {1} です。",
    ),
    ("this is the number of the standard robot: {}", "これは標準の変換ロボットの番号です。別のIDにしてください。"),
    ("a shipment has no field {}: there is {}", "出荷に項目 {0} はありません。使えるもの: {1}"),
    ("a shipment has no field {}", "出荷に項目 {0} はありません。"),
    (
        "a template sees nothing of the name `{}`; there are {}",
        "テンプレートから「{0}」という名前は見えません。使えるもの: {1}",
    ),
    ("a template sees nothing of the name `{}`", "テンプレートから「{0}」という名前は見えません。"),
    ("the template has {} characters; {} is the most", "テンプレートが{0}文字あります。{1}文字までにしてください。"),
    (
        "there is no such filter ({}); beside the usual ones there are {}",
        "そのフィルタはありません（{0}）。一般のもののほか、使えるもの: {1}",
    ),
    ("there is no such test ({})", "そのテストはありません（{0}）。"),
    (
        "the templates take too many steps for an order of so many parcels",
        "この数の送付先がある注文では、テンプレートの処理が多すぎます。",
    ),
    (
        "what the template makes is no day such as 2026-12-01",
        "テンプレートの結果が 2026-12-01 のような日付になりません。",
    ),
    ("the template makes more than {} characters", "テンプレートの結果が{0}文字を超えます。"),
    ("the template cannot be read: {}", "テンプレートとして読めません: {0}"),
    (
        "the template takes too many steps: {}",
        "テンプレートの処理が多すぎるため打ち切りました。繰り返しや長い文字を減らしてください。",
    ),
    ("values have no methods: use a filter instead", "値にメソッドはありません。フィルタを使ってください。"),
    ("a filter or function is given too much in its brackets", "フィルタか関数の括弧の中が多すぎます。"),
    ("a filter or function needs more in its brackets", "フィルタか関数の括弧の中が足りません。"),
    (
        "the template does what cannot be done with such a value {}",
        "その値にはできない処理です（文字のところで数が要る、繰り返しの入れ子が深い、文字が長くなりすぎるなど）。",
    ),
    ("the template uses what there is not: {}", "テンプレートに、ないものが使われています: {0}"),
    ("the template fails: {}", "テンプレートが失敗します: {0}"),
    ("a shipment has at most {} tags of a conversion robot", "変換ロボットが付けられるラベルは{0}個までです。"),
    // Integration robots.
    (
        "{} has the form of the easy set-up's robots: {}",
        "{0} はかんたん設定のロボットの形式です。「/」のないIDにしてください。",
    ),
    (
        "there is no robot {}, so this one would never start: the easy set-up of this connection makes none",
        "ロボット {0} がないため、起動することがありません。このショップにはロボットがまだありません。",
    ),
    (
        "there is no robot {}, so this one would never start: the easy set-up of this connection makes {}",
        "ロボット {0} がないため、起動することがありません。このショップにあるもの: {1アクション}",
    ),
    (
        "every {} spends the shop's calls of the day fast: {}",
        "{0間隔}ごとでは1日のAPI呼び出しがすぐになくなります。必要な回数は「かんたん設定」の見込みで確認できます。",
    ),
    (
        "write `by_hand: true`, or another trigger instead",
        "トリガーの「手動」（by_hand）は true にするか、ほかのトリガーにしてください。",
    ),
    (
        "write which robot to apply, and to which shipments: {}",
        "適用する処理ロボットと、対象のステータスを選んでください。",
    ),
    (
        "it would run twice: {}",
        "自動化オプションでショップ自身が出荷済みに変えるため、二重に実行されます。併用できません。",
    ),
    (
        "inventory needs to know whose stock to update: add `stock_location_code` to the connection {}",
        "在庫をどの在庫ロケーションに反映するか分かりません。ショップ {0} の設定に、在庫ロケーションコード\
         （stock_location_code）を入力してください。",
    ),
    (
        "robots that start after each other's ends would never stop: {}",
        "互いの終了後に起動するロボットになり、止まりません。どれかを別のトリガーにしてください。",
    ),
    (
        "the processing robot {} is not on: {}",
        "処理ロボット {0} が有効になっていません。有効にしないと何も起きません。",
    ),
    (
        "the processing robot {} splits, which is done when an order is imported and never later: {}",
        "処理ロボット {0} は分割をしますが、分割は取込時だけです。ほかの処理だけを別のロボットにしてください。",
    ),
    (
        "the connection {} has an easy set-up already, first{}: {}",
        "ショップ {0} のかんたん設定は既にあります。二重に動作します。",
    ),
    (
        "nobody tells the shop tracking numbers, nor that orders are shipped: {}",
        "お問い合わせ番号も出荷済みもショップに伝わりません。かんたん設定の「ステータス変更（出荷済み）」（shipped）を有効にするか、\
         「実績戻し」（write-back）または「ステータス変更（出荷済み）」（state-shipped）を行う連携ロボットを追加してください。",
    ),
    (
        "nobody tells the shop that orders are shipped: {}",
        "自動化オプションがないため、出荷済みをショップに知らせるものがありません。",
    ),
    ("the conversion robot {} is not enabled: {}", "変換ロボット {0} が無効です。有効にしてください。"),
    ("{} is the standard conversion robot: {}", "{0} は標準の変換ロボットです。指定しなければ使われます。"),
    ("no conversion robot {} is set up: {}", "変換ロボット {0} は登録されていません。"),
    ("no processing robot {} is set up: {}", "処理ロボット {0} はありません。"),
    ("no connection {} is set up: {}", "ショップ {0} は登録されていません。"),
    // Ship-froms, connections, shipping methods.
    ("{} is not a postal code: {}", "{0} は郵便番号ではありません。135-0064 のように7桁で入力してください。"),
    (
        "{} is not a prefecture: write it in full, such as {}",
        "{0} は都道府県名ではありません。東京都のように省略せずに選んでください。",
    ),
    ("{} is not a prefecture", "{0} は都道府県名ではありません。"),
    ("this is empty: write the code, or leave the key out", "空です。コードを入力するか、空欄にしてください。"),
    (
        "the connection {} reaches the same shop: {}",
        "ショップ {0} と同じ店に接続します。注文が二重に取り込まれ、呼び出し回数も両方で使います。",
    ),
    (
        "nothing lets go of orders of this connection that are paid after import: {}",
        "取込の後に入金された注文を出荷待ちにするロボットがありません。連携ロボットを追加し、「ステータス同期」（status-sync）の\
         終了後に、処理ロボット「【コマースロボ】EC Force エラーがなくなったら出荷待ちへ移動」（ecforce-release）を、\
         「保留: 入金確認」（awaiting-payment）の出荷に適用してください。",
    ),
    (
        "no robot works for this connection: {}",
        "このショップで動くロボットがまだありません。かんたん設定で作ってください。",
    ),
    ("the credential is missing: {}", "パスワードまたはトークンの指定がありません。"),
    ("write either `password` or `token`, not both: {}", "パスワードとトークンの両方は指定できません。"),
    (
        "this is not the name of an environment variable: {}",
        "環境変数の名前ではありません。パスワードそのものは設定文書に書かないでください。",
    ),
    (
        "{} is not a merchant's: variables that belong to the machine or to other tools are not read; {}",
        "{0} はサーバーやほかのツールの環境変数のため、読み取りません。MIDORI_ECFORCE_PASSWORD のような自社の名前にしてください。",
    ),
    ("{} is not an e-mail address", "{0} はメールアドレスの形ではありません。"),
    (
        "a token is used to sign in, so this e-mail address is not",
        "トークンで認証するため、このメールアドレスは使われません。",
    ),
    (
        "with 0 calls a day nothing can be done: {}",
        "0回では何もできません。ショップの契約の回数（10000など）を入力してください。",
    ),
    (
        "{} ms between two calls is more than a minute: {}",
        "呼び出しの間隔 {0} ミリ秒は1分を超えています。ふつうは 1000 です。",
    ),
    (
        "calls follow each other almost without a pause: {}",
        "呼び出しの間隔がほとんどありません。実際のショップは拒否します。ふつうは 1000 ミリ秒です。",
    ),
    ("a write of 0 records does nothing: {}", "0件では何も書き込めません。1から100にしてください。"),
    (
        "{} records in one write is more than the {} that are proven: {}",
        "1回に {0} 件は、確かめられている {1} 件を超えています。ショップがすべて拒否することがあります。",
    ),
    (
        "{} is the state for `{}` already: with the same state twice, {}",
        "{0} は{1状況}と同じです。同じにすると、注文を何度も取り込むことになります。",
    ),
    (
        "{} is the state for `{}` already: orders in it would be cancelled",
        "{0} は{1状況}と同じです。その注文がキャンセルになってしまいます。",
    ),
    ("{} stands in this list twice: {}", "{0} が2回書かれています。数量は1つにまとめてください。"),
    ("{} stands in this list twice", "{0} が2回書かれています。"),
    ("{} is named twice, first{}: {}", "{0} が2回書かれています。決済状況の意味は1つにしてください。"),
    (
        "`pending` (入金待ち) counts as paid here: {}",
        "pending（入金待ち）を入金済みとしています。入金前の注文が出荷されます。",
    ),
    (
        "an empty keyword would match every carrier: {}",
        "空のキーワードはすべての配送業者に当てはまります。業者名の一部を書いてください。",
    ),
    (
        "the keyword {} belongs to the shipping method {} already: {}",
        "キーワード {0} は配送方法 {1} にあります。どちらか分からなくなるため、別の言葉にしてください。",
    ),
    ("the shipping method {} is the default already: {}", "配送方法 {0} が既定です。既定は1つだけにしてください。"),
    (
        "no method has `default: true`: {}",
        "既定の配送方法がありません。どのキーワードにも当てはまらない注文は、配送方法なしになります。",
    ),
    ("a part of which there is none is no part: {}", "数量は1以上にしてください。"),
    ("a set cannot be a part of itself", "セット商品をそれ自身の構成品にはできません。"),
    ("{} is a set itself: {}", "{0} もセット商品です。その構成品を指定してください。"),
    ("no ship-from {} is set up: {}", "発送元 {0} は登録されていません。"),
    (
        "{} is not in the document any more, but has open shipments: {}. Ship or cancel {}",
        "ショップ {0} には未出荷の出荷指示があります（{1件}）。出荷するかキャンセルし、かんたん設定から外してから削除してください。",
    ),
    (
        "{} has shipments of the shop at its former address, and another shop {}",
        "ショップ {0} には、これまでのアドレスのショップの出荷指示があります。受注IDはショップごとに1から数えるため、別のショップに\
         つなぎ替えると、他人の受注に通知してしまいます。別のショップは、別のショップIDで新しく登録してください。\
         同じショップのアドレスだけが変わったときは、運用者に依頼してください。",
    ),
    // Addresses of shops.
    (
        "the API URL is empty: {}",
        "API URLが空です。ショップのAPIのホスト名（api.example.com など）を入力してください。",
    ),
    ("the API URL is too long", "API URLが長すぎます。"),
    ("the API URL contains a character that cannot be part of an address: {}", "API URLに使えない文字があります: {0}"),
    (
        "the API URL must begin with https://, not with {}:",
        "API URLは https:// で始めてください（{0}: は使えません）。",
    ),
    (
        "the API URL must begin with https://: {}",
        "API URLは https:// で始めてください。http:// ではパスワードが途中で読まれるおそれがあります。",
    ),
    (
        "the API URL must not contain a user name or password {}",
        "API URLに利用者名やパスワード（@より前）を含めないでください。",
    ),
    ("the API URL must not contain ? or #: {}", "API URLに ? や # を含めず、ホスト名だけを入力してください。"),
    ("the API URL must not name a port other than 443: {}", "API URLに443以外のポートは使えません: {0}"),
    (
        "the API URL must end with its host or with /api, not with {}",
        "API URLはホスト名か /api で終わるようにしてください（{0} は使えません）。",
    ),
    (
        "the API URL must be a host name, not the IP address {}",
        "API URLはIPアドレス {0} ではなく、ホスト名にしてください。",
    ),
    (
        "{} is a name inside a private network, {}",
        "{0} は社内などの閉じたネットワークの名前で、ショップではありません。",
    ),
    ("{} is the name of a metadata service, {}", "{0} はショップではありません。"),
    (
        "{} is not a complete host name: {}",
        "{0} はホスト名として不完全です。api.example.com のように点を含む名前にしてください。",
    ),
    ("{} is not a valid host name", "{0} はホスト名として使えません。"),
    ("ship-from \"\" is not valid: {}", EMPTY),
    ("warehouse \"\" is not valid: {}", EMPTY),
    ("connection \"\" is not valid: {}", EMPTY),
    ("shipping method \"\" is not valid: {}", EMPTY),
    // Of any value.
    ("the key {} is not known here; known are: {}", "キー {0} はここでは使えません。使えるもの: {1}"),
    ("the key {} is not known here", "キー {0} はここでは使えません。"),
    ("{} cannot stand beside {}: make two entries of them", "{0} と {1} は同じ所に書けません。2つに分けてください。"),
    ("{} is missing here: {}", "{0} がありません。"),
    ("one of {} is missing here", "次のどれかが必要です: {0}"),
    ("there is nothing here: {}", "値がありません。入力してください。"),
    ("{} is not one of {}", "{0} は使えません。使えるもの: {1}"),
    (
        "{} is out of bounds: this must be a whole number from {} to {}",
        "{0} は範囲外です。{1}から{2}までの整数にしてください。",
    ),
    ("this must be a whole number from {} to {}, not {}", "{0}から{1}までの整数にしてください（いまは {2}）。"),
    ("this must be a whole number, 0 or more, not {}", "0以上の整数にしてください（いまは {0}）。"),
    (
        "this must be true or false, not {}: write {}",
        "true か false にしてください（いまは {0}）。{1} と書いてください。",
    ),
    ("this must be true or false, not {}", "true か false にしてください（いまは {0}）。"),
    ("this must be a time such as {}, not {}", "15 minutes や 2 hours のように書いてください（いまは {1}）。"),
    ("this must be {}, not a list: {}", "ここに一覧は書けません。「-」や [ ] を外してください。"),
    ("this must be {}, not {}", "ここに {1} は書けません。"),
    ("{} needs a value: write {}", "{0} には値が必要です。"),
    ("{} is not a time: write for example {}", "{0} は間隔ではありません。15分や2時間のように指定してください。"),
    ("a robot can start every 1 minute to every 24 hours", "間隔は1分から24時間までです。"),
    (
        "{} is not a cron of five fields {}",
        "{0} は「分 時 日 月 曜日」の5つの欄ではありません。0 9-18 * * MON-FRI のように書いてください。",
    ),
    (
        "{} is no day of the month: {}",
        "{0} は日として使えません。* か、1から31までの数を 1,3 や 2-5 や */2 のように書いてください。",
    ),
    ("{} is no day of the week: {}", "{0} は曜日として使えません。* か、MON-FRI や 1,3 のように書いてください。"),
    (
        "{} is no {}: write *, or numbers from {} to {} such as {}",
        "{0} は使えません。* か、{2}から{3}までの数を 1,3 や 2-5 や */2 のように書いてください。",
    ),
    (
        "days of the month and days of the week exclude each other: {}",
        "日と曜日は同時に指定できません。どちらかを * にしてください。",
    ),
    (
        "months cannot be combined with hours before 09:00 in Japan{}",
        "9時より前の時刻と月は組み合わせられません（UTCでは前日になるため）。",
    ),
    (
        "the days 1, 29, 30 and 31 cannot be combined with hours before 09:00 in Japan{}",
        "9時より前の時刻と1日・29日・30日・31日は組み合わせられません（UTCでは別の月になるため）。",
    ),
    ("{} is not a time of day: {}", "{0} は時刻ではありません。09:30 のように日本時間で書いてください。"),
    ("robot {} is not valid: {}", "ロボットID {0} は使えません。半角の英小文字・数字とハイフンで書いてください。"),
    ("integration robot {} is not valid: {}", "ロボットID {0} は使えません。my-robot のように半角で書いてください。"),
    (
        "connection {} is not valid: {}",
        "ショップのID {0} は使えません。半角の英小文字・数字とハイフンで書いてください。",
    ),
    (
        "shipping method {} is not valid: {}",
        "配送方法のID {0} は使えません。半角の英小文字・数字とハイフンで書いてください。",
    ),
    ("ship-from {} is not valid: {}", "発送元のID {0} は使えません。半角の英小文字・数字とハイフンで書いてください。"),
    ("warehouse {} is not valid: {}", "倉庫のID {0} は使えません。半角の英小文字・数字とハイフンで書いてください。"),
    (
        "SKU {} is not valid: {}",
        "商品コード {0} は使えません。制御文字や前後の空白のない、128バイトまでの文字にしてください。",
    ),
    // Files of shipments and of results.
    (
        "it is paid on delivery (代引), and this layout has no column for the amount to collect: {}",
        "代引ですが、この形式には代引金額の列がありません。標準の形式（standard）で出力して送り状を手で作るか、\
         合計金額の列（total）を持つ独自の形式をコマンド（renkei files）で使うよう、運用者に依頼してください。",
    ),
    (
        "it is ready, but not paid: release it although unpaid, or wait for its payment",
        "出荷待ちですが未入金です。入金を待つか、未入金のまま出荷するときは、出荷管理の一覧でこの出荷を選び、\
         「操作」で「未入金でも出荷待ちへ」を選んでください。",
    ),
    ("must be given: --set {}=…", "固定値「{0}」を入力してください。"),
    ("must not be empty", "空です。この列は空にできません。"),
    ("date: {}", "形式の日付の書き方が正しくありません: {0}"),
    (
        "the ship-from {} is not in the settings any more",
        "発送元 {0} は設定にありません。設定に戻すか、出荷の発送元を変えてください。",
    ),
    (
        "it is too long: {} half-width characters (全角 counts 2) where {} fit",
        "長すぎます。半角で{0}文字分あります（全角は2文字分）。{1}文字分まで入ります。",
    ),
    (
        "the carrier has no code for {} in this layout; it knows {}",
        "この形式には、運送会社の配達時間帯 {0} のコードがありません。使えるもの: {1}",
    ),
    (
        "Shift_JIS has no {}: write it otherwise at the shop or on the label",
        "Shift_JISにない文字です: {0}。ショップで別の書き方にするか、送り状で書き直してください。",
    ),
    (
        "the file is not {}: was it saved by a spreadsheet in another encoding?",
        "文字コードが {0} ではありません。表計算ソフトで別の文字コードで保存していませんか。",
    ),
    ("a file has at most {} rows", "1つのファイルは{0}行までです。"),
    ("it is not a line of CSV", "CSVの行として読めません。"),
    ("a quotation mark is opened here and closed nowhere", "引用符（\"）がここで開いたまま閉じていません。"),
    (
        "this is no day: it is written 2026/11/25, 2026-11-25 or 20261125",
        "日付として読めません。2026/11/25、2026-11-25、20261125 のいずれかで書いてください。",
    ),
    (
        "row {} has another number for the same shipment: it is not told which one is right",
        "{0}行目に、同じ出荷の別の番号があります。どちらが正しいか分からないため、どちらも取り込みません。",
    ),
    ("the file has no column {}", "この列がありません: {0}"),
    (
        "this names no shipment: it is written 88111-1, the order's id and the parcel",
        "出荷として読めません。88111-1 のように、受注のIDと個口で書いてください。",
    ),
    (
        "this is no shipment: {}",
        "出荷指示IDとして読めません。hanako-ecforce.88111.1 のような、出力したファイルのままのIDにしてください。",
    ),
    ("which shop's is it? name it with --connection", "どのショップの出荷か分かりません。ショップを選んでください。"),
    (
        "a spreadsheet has spoilt the number (4.0E+11): take the file as the carrier's software wrote it",
        "番号が表計算ソフトで壊れています（4.0E+11）。運送会社のソフトが出力したファイルをそのまま使ってください。",
    ),
    (
        "not a tracking number: it has digits, letters and hyphens, at most 64",
        "お問い合わせ番号として読めません。数字・英字・ハイフンで、64文字までです。",
    ),
];

/// What follows a sentence, and in Japanese.
pub const FOLLOWING: &[(&str, &str)] = &[
    ("{}; did you mean `{}`?", "「{1}」のことですか。"),
    ("{}: did you mean `{}`?", "「{1}」のことですか。"),
    ("{}: did you mean \"{}\"?", "「{1}」のことですか。"),
    ("{} (line {} of the template)", "（テンプレートの{1}行目）"),
];
