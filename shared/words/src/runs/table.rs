//! What runs say, in English as they say it, and in Japanese.

/// Sentences of runs, as in the table of the checks: the first that fits counts.
pub const SENTENCES: &[(&str, &str)] = &[
    (
        "the robot is switched off, or not in the settings any more: it did nothing",
        "ロボットが無効か、設定にありません。何もしていません。",
    ),
    (
        "the run came to nothing in all of its time, again and again: it is given up, {}",
        "何度実行しても、時間内に処理が進みませんでした。この実行は中止し、次回の開始時にやり直します。運用者に連絡してください。",
    ),
    // ステータス同期.
    (
        "{} orders are not paid any more while the warehouse has them in hand: {} (出荷準備中に未入金へ戻りました): {}",
        "{0}件の受注が、出荷準備中に未入金へ戻りました。倉庫で止めるか、そのまま出荷してください: {2}",
    ),
    (
        "{} orders are otherwise at the shop than they were imported: {} (取込後にショップで変わりました): {}",
        "{0}件の受注が、取込後にショップで変わりました。変わった項目を確認し、作り直すか、確認済みにしてください: {2}",
    ),
    (
        "{} orders could not be made anew from what the shop has: {}",
        "{0}件の受注を、ショップの最新内容で作り直せませんでした（出荷の履歴にもあります）: {1理由}",
    ),
    (
        "payment states that the connection's table does not know wait: {}; say what they mean under payment_states {}",
        "決済状況の対応表にない状態の受注が、入金待ちになっています: {0}。状態の意味をショップの設定に登録してください。",
    ),
    (
        "{} cancellation requests have no answer from the warehouse in time: {}",
        "キャンセル依頼{0}件が、倉庫の回答期限を過ぎました。倉庫に確認し、出荷管理の「要対応」→「キャンセルの対応待ち」から\
         出荷を開いて、回答を登録してください。",
    ),
    (
        "{} orders are open here and the shop does not give them: {} (ショップに見つかりません): {}",
        "未出荷の受注{0}件がショップに見つかりません。ショップで確認し、なくなったものはここでキャンセルしてください: {2}",
    ),
    (
        "the shop announced that these orders were cancelled, {} cancel them there again: {} (キャンセルが上書きされた可能性があります)",
        "ショップがキャンセルを知らせた受注が、ショップで作業中のままです。キャンセルが上書きされた可能性があります。\
         ショップに確認し、もう一度キャンセルしてください: {1}",
    ),
    // 夜間照合.
    (
        "{} orders of the shop were unknown here and are imported now (未取込): {}",
        "ショップにあって未取込の受注{0}件を取り込みます: {1}",
    ),
    (
        "{} orders are in the working state at the shop and unknown here, {} (未取込・作業中): {}",
        "ショップで作業中なのに未取込の受注が{0}件あり、ここからは出荷されません。\
         出荷するものは、ecforceで、対応状況を「取得する対応状況」（標準は complete）に戻してください: {2}",
    ),
    (
        "{} order numbers are here twice, of different orders (重複): {}",
        "同じ受注番号の別の受注が{0}件あります。片方だけを出荷し、もう片方は出荷管理でキャンセルしてください: {1}",
    ),
    (
        "{} orders stand still (滞留): {}",
        "長く動いていない受注が{0}件あります。出荷待ち・出荷準備中のものは倉庫に確認し、理由のない保留は解除するか\
         理由を付けてください。ショップへの通知が進まないものは「記録」でそのロボットの失敗を確認してください: {1}",
    ),
    (
        "{} orders stand otherwise at the shop than here (不一致): {}",
        "ショップとこちらで状況の違う受注が{0}件あります。両方を開いて比べてください: {1}",
    ),
    (
        "{} orders have no tracking number at the shop, which had taken it; it is told again (送り状番号なし): {}",
        "ショップが受け付けたお問い合わせ番号が、ショップにない受注が{0}件あります。もう一度通知します: {1}",
    ),
    (
        "{} orders have no tracking number at the shop, which took it more than once; {} (送り状番号なし、再送しません): {}",
        "ショップが何度も受け付けたお問い合わせ番号が、ショップにない受注が{0}件あります。もう通知しません。\
         ショップで確認し、手で入力してください: {2}",
    ),
    (
        "{} orders' payments are not captured, though the shop had said so: {} (売上処理なし): {}",
        "ショップが売上処理をしたと答えたのに、されていない受注が{0}件あります。ショップで確認してから、\
         もう一度売上処理をするよう（renkei retry --shipment 出荷指示ID --capture）運用者に依頼してください: {2}",
    ),
    (
        "not everything was compared: {}",
        "すべては照合していません。使える呼び出しの回数か、ページ数の上限に達しました。残りは別の夜に照合します。",
    ),
    (
        "not everything was compared, and what stands still was not looked at: {}",
        "すべては照合しておらず、滞留も確認していません。ショップの応答が遅く、時間切れになりました。\
         ショップに理由を確認するか、ショップの空いている時間に、「ロボット」で夜間照合の「いま実行する」を押してください。",
    ),
    (
        "no range of dates is noted for this run: {}",
        "この実行には期間がありません。renkei backfill で始めるよう、運用者に依頼してください。",
    ),
    // 在庫連携.
    (
        "the connection {} has no stock_location_code: {}",
        "ショップ {0} の設定に在庫ロケーションコードがありません。登録してください。",
    ),
    (
        "{} SKUs were counted more than {} days ago, {}; the warehouse is to count them again: {}",
        "{0}件の商品は計数が{1}日より前で、その前に出荷した分が引かれていません。倉庫で数え直してください: {3}",
    ),
    // Whatever tells the shop or reads it.
    (
        "the shop has no order state {}: create it at the shop (対応状況管理), or name the shop's own under {} {}",
        "ショップに対応状況 {0} がありません。ショップの対応状況管理で作るか、ショップの設定（{1}）をショップの名前に合わせてください。",
    ),
    (
        "the shop's listing does not go on after the last order it gave",
        "ショップの受注一覧が途中で進まなくなりました。続くようならショップに確認してください。",
    ),
    ("the shop gave no reason", "ショップは理由を示していません。"),
    (
        "the shop was asked once to capture the payment and shows none: {}",
        "売上処理を一度依頼しましたが、ショップで売上になっていません。ショップの受注を確認してください。",
    ),
    // What a run would fail for, before it is started.
    (
        "the run would fail: the connection {} has no stock_location_code: {}",
        "ショップ {0} に在庫ロケーションコードがないため、実行すると失敗します。ショップの設定に登録してください。",
    ),
    (
        "the run would fail: the processing robot {} is not on: {}",
        "処理ロボット {0} が無効のため、実行すると失敗します。有効にしてください。",
    ),
    (
        "the run would fail: there is no status {} to apply a robot to",
        "ロボットを適用するステータス {0} はないため、実行すると失敗します。",
    ),
    ("the robot {} applies no processing robot", "ロボット {0} は、処理ロボットを適用するものではありません。"),
    // 処理ロボット適用, and settings that are not there.
    ("the robot {} is not in the tenant's settings any more", "ロボット {0} は、もう設定にありません。"),
    ("the processing robot {} is not on: {}", "処理ロボット {0} が有効になっていません。有効にしてください。"),
    ("there is no status {} to apply a robot to", "ロボットを適用するステータス {0} はありません。"),
    ("there are no settings for this tenant; {}", "設定がまだありません。運用者に設定の適用を依頼してください。"),
    ("this connection is not in the tenant's settings any more", "このショップは、もう設定にありません。"),
    ("{} is not a robot of {}", "この環境では {0} を実行できません。運用者に連絡してください。"),
    // The way to the shop.
    ("blocked until {}", "{0} まで停止しています。"),
    (
        "another run of this connection is talking to the shop; {}",
        "このショップでは別の実行が通信しています。あとで自動的にやり直します。",
    ),
    ("another run took over meanwhile; {}", "別の実行に引き継がれました。残りは次の実行が行います。"),
    (
        "the shop bears no further sign-in before {}",
        "ショップへの認証の回数が1時間の上限に達しました。{0} に自動で再開します（コンソールへのサインインには関係ありません）。",
    ),
    ("the shop wants no call before {}", "ショップが {0} まで呼び出しを控えるよう求めています。"),
    ("the run's time is over; it goes on in a new one", "時間内に終わらなかったため、新しい実行で続けます。"),
    (
        "the shop refuses the token: {}",
        "ショップがトークンを受け付けません。ショップで新しいトークンを発行し、登録し直してください。",
    ),
    (
        "the shop refuses e-mail or password: {}",
        "ショップがメールアドレスまたはパスワードを受け付けません。ecforceのログインアカウントがあることを確認し、\
         正しいパスワードを登録し直してください。",
    ),
    (
        "this is not an ecforce token: {}",
        "ecforceのトークンの形ではありません（空白や引用符のない、1行の英数字と記号です）。",
    ),
    (
        "the HTTP client could not be set up: {}",
        "通信の準備ができません（TLSのルート証明書を確認）。運用者に連絡してください。",
    ),
    // What the shop answers.
    (
        "{} was not found: the host name has no address; {}",
        "{0} が見つかりません。続くようならAPI URLを確認してください。",
    ),
    ("{} did not answer in time", "{0} から時間内に応答がありませんでした。"),
    ("the connection to {} broke before the answer was complete", "{0} との通信が途中で切れました。"),
    ("the shop asks for fewer calls at a time (429)", "呼び出しの間隔を空けるよう、ショップが求めています（429）。"),
    (
        "the shop's call limit is reached ({}); it says from when on it may be called again",
        "ショップの呼び出しの上限に達しました（{0}）。ショップが示した時間のあとで、再び呼び出します。",
    ),
    (
        "the shop's daily call limit is spent ({}); calls work again at 09:00 Japan time",
        "ショップの1日の呼び出しの上限に達しました（{0}）。9時から再び呼び出せます。",
    ),
    ("the shop has trouble of its own at the moment ({})", "ショップ側で一時的な障害が起きています（{0}）。"),
    (
        "the shop did not accept the sign-in (401{}): check e-mail, password or token",
        "ショップが認証を受け付けません（401{0}）。メールアドレスとパスワード、またはトークンを確認してください。",
    ),
    (
        "a firewall in front of the shop turned the call away with a web page (403): {}",
        "ショップの前段のファイアウォールに拒否されました（403）。ショップに接続の許可を依頼してください。",
    ),
    (
        "the shop does not allow this (403{}): the user's rights are too small",
        "ショップが許可していません（403{0}）。ecforceのログインアカウントの権限が足りません。",
    ),
    ("the shop does not have what was asked for (404{})", "ショップに該当するものがありません（404{0}）。"),
    ("the shop refuses the request as it is (422{})", "ショップがこの内容を拒否しました（422{0}）。"),
    ("the shop refused the request ({})", "ショップが拒否しました（{0}）。"),
    (
        "the shop redirects to {} ({}) instead of answering: {}",
        "ショップが {0} に転送しています（{1}）。APIのあるアドレスをAPI URLに登録してください。",
    ),
    (
        "the shop's answer is larger than {} bytes: {}",
        "ショップの応答が大きすぎます（{0}バイト超）。運用者に連絡してください。",
    ),
    // What is ours: the database, queues and secrets.
    (
        "the database did not take the request ({}); it is safe to repeat",
        "データベースが応答しませんでした（{0}）。もう一度実行しても問題ありません。",
    ),
    (
        "the database refused the request ({}); check the stack's tables and rights",
        "データベースが拒否しました（{0}）。運用者に連絡してください。",
    ),
    (
        "a stored {} has version {}, and this release reads up to {}: {}",
        "保存データ（{0}）が新しい版で書かれています。運用者に連絡してください。",
    ),
    (
        "a stored {} cannot be read: {}; tell the operator ({})",
        "保存データ（{0}）を読み取れません: {1}。運用者に連絡してください。",
    ),
    (
        "the {} is not this tenant's: nothing was written; tell the operator",
        "この契約企業のデータではありません（{0}）。何も書き込んでいません。運用者に連絡してください。",
    ),
    (
        "the {} was changed by somebody else meanwhile; read it again",
        "同時に別の変更がありました（{0}）。もう一度実行してください。",
    ),
    (
        "{} of {} messages were not sent: the queue refuses them with {}",
        "キューに拒否され、{1}件中{0}件を送れませんでした（{2}）。運用者に連絡してください。",
    ),
    (
        "{} of {} messages were not sent: the queue was busy at each of {} attempts",
        "キューが混み合い、{1}件中{0}件を送れませんでした（{2}回試行）。",
    ),
    (
        "a message of {} bytes is larger than the {} that a queue takes; none of {} were sent: tell the operator",
        "データが大きすぎるため（{0}バイト、上限{1}バイト）、{2}件とも送れませんでした。運用者に連絡してください。",
    ),
    ("there are no credentials for {}: {}", "認証情報（{0}）がありません。設定の適用を運用者に依頼してください。"),
    (
        "the credentials in {} cannot be read by this release: {}",
        "認証情報（{0}）を読み取れません。設定の適用を運用者に依頼してください。",
    ),
    (
        "the credentials in {} were given for another address than the shop's: {}",
        "ショップのアドレスが、認証情報（{0}）を登録したときから変わっています。パスワードまたはトークンを登録し直してください。",
    ),
    // As releases before had it; records of their runs still do.
    ("a stored {} cannot be read: {}", "保存データ（{0}）を読み取れません: {1}。運用者に連絡してください。"),
    ("the {} is not this tenant's", "この契約企業のデータではありません（{0}）。運用者に連絡してください。"),
    (
        "a message of {} bytes is larger than the {} that a queue takes; none of {} were sent",
        "データが大きすぎるため（{0}バイト、上限{1}バイト）、{2}件とも送れませんでした。運用者に連絡してください。",
    ),
];

/// Those that say why in their last place.
pub const WITH_REASON: &[(&str, &str)] = &[
    (
        "{} orders of these dates are unknown here and in another state at the shop by now: {}",
        "この期間の受注のうち{0}件は未取込で、ショップではもう別の対応状況です: {1}",
    ),
    (
        "the run would fail: the processing robots cannot be used: {}",
        "処理ロボットに誤りがあるため、実行すると失敗します: {0}",
    ),
    ("the processing robot cannot be used: {}", "処理ロボットに誤りがあるため使えません: {0}"),
    ("the processing robots cannot be used: {}", "処理ロボットに誤りがあるため実行できません: {0}"),
    ("the API URL is wrong: {}", "API URLが正しくありません: {0}"),
    (
        "the token cannot be used: {}; apply the document again with the right one",
        "トークンが使えません: {0}正しいものを登録し直してください。",
    ),
    ("{} was not called: {}; check the API URL", "{0} を呼び出していません: {1}API URLを確認してください。"),
    ("no connection to {}: {}", "{0} に接続できません: {1}"),
    ("the shop's answer could not be read: {}", "ショップの応答を読み取れません: {0}"),
    ("the call was not made: {}", "呼び出しをしていません: {0}"),
    ("the credentials in {} could not be reached: {}", "認証情報（{0}）を取り出せません: {1}"),
    ("{} of {} messages were not sent: {}", "{1}件中{0}件をキューに送れませんでした: {2}"),
    ("the message could not be kept: {}", "キューのメッセージを保持できませんでした: {0}"),
    ("AWS {} failed: {}", "AWSの {0} が失敗しました: {1}"),
];

/// Reasons that stand behind those.
pub const REASONS: &[(&str, &str)] = &[
    ("without a number", "番号なし"),
    ("the name leads to {}, which is not a public address ({})", "公開されていないアドレス {0} につながります。"),
    ("it took too long", "時間がかかりすぎました。"),
    ("it is empty", "空です。"),
    (
        "it is a web page instead of data, as during maintenance",
        "データではなくWebページです。メンテナンス中かもしれません。",
    ),
    ("it is plain text instead of data", "データではなく文字だけです。"),
    ("it stops in the middle", "途中で切れています。"),
    ("it is damaged", "壊れています。"),
    ("it has no {}", "{0} がありません。"),
    ("the token does not fit into a header", "トークンを送れる形にできません。"),
    ("the request could not be written as JSON", "内容をJSONにできません。"),
    ("the HTTP client refuses the request; {}", "このアドレスには送れない設定です。"),
    ("there is nothing to send", "送るものがありません。"),
    ("no answer in time", "時間内に応答がありませんでした。"),
    ("no connection", "接続できません。"),
    ("the request could not be made", "要求を作れません。"),
    ("the answer could not be read", "応答を読み取れません。"),
    ("an error of a kind that this release does not know", "種類の分からないエラーです。"),
];
