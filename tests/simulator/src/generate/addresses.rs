//! Plausible places: real prefectures, cities and their postal codes, invented blocks, buildings and telephone numbers.

use std::borrow::Cow;

use rand::RngExt;
use rand::rngs::StdRng;

use crate::shop::order::Address;

/// Prefecture (its JIS number is its place in the list, from 1), postal code, city and town, area code.
const PLACES: [(&str, &str, &str, &str, &str); 47] = [
    ("北海道", "060", "0001", "札幌市中央区北一条西", "011"),
    ("青森県", "030", "0801", "青森市新町", "017"),
    ("岩手県", "020", "0022", "盛岡市大通", "019"),
    ("宮城県", "980", "0021", "仙台市青葉区中央", "022"),
    ("秋田県", "010", "0001", "秋田市中通", "018"),
    ("山形県", "990", "0039", "山形市香澄町", "023"),
    ("福島県", "960", "8031", "福島市栄町", "024"),
    ("茨城県", "310", "0015", "水戸市宮町", "029"),
    ("栃木県", "320", "0811", "宇都宮市大通り", "028"),
    ("群馬県", "371", "0024", "前橋市表町", "027"),
    ("埼玉県", "330", "0854", "さいたま市大宮区桜木町", "048"),
    ("千葉県", "260", "0015", "千葉市中央区富士見", "043"),
    ("東京都", "153", "0064", "目黒区下目黒", "03"),
    ("神奈川県", "220", "0012", "横浜市西区みなとみらい", "045"),
    ("新潟県", "950", "0087", "新潟市中央区東大通", "025"),
    ("富山県", "930", "0002", "富山市新富町", "076"),
    ("石川県", "920", "0853", "金沢市本町", "076"),
    ("福井県", "910", "0006", "福井市中央", "0776"),
    ("山梨県", "400", "0031", "甲府市丸の内", "055"),
    ("長野県", "380", "0823", "長野市南千歳", "026"),
    ("岐阜県", "500", "8833", "岐阜市神田町", "058"),
    ("静岡県", "420", "0852", "静岡市葵区紺屋町", "054"),
    ("愛知県", "450", "0002", "名古屋市中村区名駅", "052"),
    ("三重県", "514", "0009", "津市羽所町", "059"),
    ("滋賀県", "520", "0051", "大津市梅林", "077"),
    ("京都府", "604", "8005", "京都市中京区三条通河原町東入恵比須町", "075"),
    ("大阪府", "541", "0041", "大阪市中央区北浜", "06"),
    ("兵庫県", "650", "0021", "神戸市中央区三宮町", "078"),
    ("奈良県", "630", "8215", "奈良市東向中町", "0742"),
    ("和歌山県", "640", "8331", "和歌山市美園町", "073"),
    ("鳥取県", "680", "0831", "鳥取市栄町", "0857"),
    ("島根県", "690", "0003", "松江市朝日町", "0852"),
    ("岡山県", "700", "0901", "岡山市北区本町", "086"),
    ("広島県", "730", "0011", "広島市中区基町", "082"),
    ("山口県", "753", "0074", "山口市中央", "083"),
    ("徳島県", "770", "0831", "徳島市寺島本町西", "088"),
    ("香川県", "760", "0019", "高松市サンポート", "087"),
    ("愛媛県", "790", "0012", "松山市湊町", "089"),
    ("高知県", "780", "0841", "高知市帯屋町", "088"),
    ("福岡県", "810", "0001", "福岡市中央区天神", "092"),
    ("佐賀県", "840", "0801", "佐賀市駅前中央", "0952"),
    ("長崎県", "850", "0057", "長崎市大黒町", "095"),
    ("熊本県", "860", "0807", "熊本市中央区下通", "096"),
    ("大分県", "870", "0831", "大分市要町", "097"),
    ("宮崎県", "880", "0811", "宮崎市錦町", "0985"),
    ("鹿児島県", "890", "0053", "鹿児島市中央町", "099"),
    ("沖縄県", "900", "0006", "那覇市おもろまち", "098"),
];

/// Prefectures where more people live, drawn more often (JIS numbers).
const POPULOUS: [usize; 9] = [1, 11, 12, 13, 13, 14, 23, 27, 40];

const BUILDINGS: [&str; 14] = [
    "",
    "",
    "",
    "",
    "",
    "",
    "下目黒ビル5F",
    "コーポ髙野 203号室",
    "メゾン・ド・さくら 101",
    "グランドハイツ Ⅱ棟 1204号",
    "ﾌﾟﾘﾑﾛｰｽﾞ 302",
    "県営住宅３－５０２",
    "〇〇様方",
    "ザ・レジデンス・アット・ハーバービューウエストタワー（オーシャンフロント）3801号室",
];

/// Gives the address a place and a telephone.
pub fn place(dice: &mut StdRng, address: &mut Address) {
    let number = if dice.random_ratio(3, 5) {
        POPULOUS[dice.random_range(0..POPULOUS.len())]
    } else {
        dice.random_range(1..=PLACES.len())
    };
    let (prefecture, zip01, zip02, town, area_code) = PLACES[number - 1];
    // Numbers from 1 to 47 always fit.
    address.prefecture_id = u8::try_from(number).unwrap_or_default();
    address.prefecture_name = Cow::Borrowed(prefecture);
    address.zip01 = Cow::Borrowed(zip01);
    address.zip02 = Cow::Borrowed(zip02);
    address.addr01 = Cow::Borrowed(town);
    let (block, plot, house) = (dice.random_range(1..8), dice.random_range(1..40), dice.random_range(1..30));
    address.addr02 = Cow::Owned(match dice.random_range(0..10) {
        0 => format!("{block}丁目{plot}番{house}号"),
        1 => format!("{}−{}−{}", full_width(block), full_width(plot), full_width(house)),
        2 => format!("{block}丁目"),
        _ => format!("{block}-{plot}-{house}"),
    });
    address.addr03 = Cow::Borrowed(BUILDINGS[dice.random_range(0..BUILDINGS.len())]);
    let subscriber = dice.random_range(0..10_000);
    if dice.random_ratio(2, 3) {
        address.tel01 = Cow::Borrowed("090");
        address.tel02 = Cow::Borrowed("0000");
    } else {
        address.tel01 = Cow::Borrowed(area_code);
        address.tel02 = Cow::Borrowed(&"0000"[..6 - area_code.len()]);
    }
    address.tel03 = Cow::Owned(format!("{subscriber:04}"));
}

fn full_width(number: u32) -> String {
    number
        .to_string()
        .chars()
        .filter_map(|digit| digit.to_digit(10))
        .filter_map(|digit| char::from_u32('０' as u32 + digit))
        .collect()
}
