use proptest::prelude::*;
use serde_json::json;

use super::*;

fn moment(text: &str) -> Timestamp {
    text.parse().unwrap()
}

#[test]
fn times_mean_japan() {
    let cases = [
        (json!("2019/06/08 05:47:17"), Ok(Some(moment("2019-06-07T20:47:17Z")))),
        (json!("2019-06-08 05:47:17"), Ok(Some(moment("2019-06-07T20:47:17Z")))),
        (json!(" 2019-06-08T05:47:17 "), Ok(Some(moment("2019-06-07T20:47:17Z")))),
        (json!("2019/6/8 5:47:17"), Ok(Some(moment("2019-06-07T20:47:17Z")))),
        (json!("2019/06/08 05:47"), Ok(Some(moment("2019-06-07T20:47:00Z")))),
        (json!("2019/06/08"), Ok(Some(moment("2019-06-07T15:00:00Z")))),
        (json!("2019-6-8"), Ok(Some(moment("2019-06-07T15:00:00Z")))),
        (json!("２０１９／０６／０８"), Ok(Some(moment("2019-06-07T15:00:00Z")))),
        (json!("2019-06-08T05:47:17+09:00"), Ok(Some(moment("2019-06-07T20:47:17Z")))),
        (json!("2019-06-07T20:47:17Z"), Ok(Some(moment("2019-06-07T20:47:17Z")))),
        (json!(""), Ok(None)),
        (json!("  "), Ok(None)),
        (json!(null), Ok(None)),
        (json!("0000-00-00 00:00:00"), Ok(None)),
        (json!("tomorrow"), Err(Unreadable)),
        (json!("2019/13/01"), Err(Unreadable)),
        (json!(20_190_608), Err(Unreadable)),
        (json!({}), Err(Unreadable)),
    ];
    for (value, expected) in cases {
        assert_eq!(time(&value), expected, "{value}");
    }
}

#[test]
fn numbers_come_as_they_like() {
    let cases = [
        (json!(10), Ok(Some(10))),
        (json!(-500), Ok(Some(-500))),
        (json!("10"), Ok(Some(10))),
        (json!(" 10 "), Ok(Some(10))),
        (json!("1,980"), Ok(Some(1980))),
        (json!("１９８０"), Ok(Some(1980))),
        (json!("10.0"), Ok(Some(10))),
        (json!(10.0), Ok(Some(10))),
        (json!("+3"), Ok(Some(3))),
        (json!(""), Ok(None)),
        (json!(null), Ok(None)),
        (json!(10.5), Err(Unreadable)),
        (json!("10.5"), Err(Unreadable)),
        (json!(".5"), Err(Unreadable)),
        (json!("1e3"), Err(Unreadable)),
        (json!("ten"), Err(Unreadable)),
        (json!(true), Err(Unreadable)),
        (json!([1]), Err(Unreadable)),
        (json!("99999999999999999999"), Err(Unreadable)),
        (json!(18_446_744_073_709_551_615_u64), Err(Unreadable)),
        (json!(1e300), Err(Unreadable)),
    ];
    for (value, expected) in cases {
        assert_eq!(whole(&value), expected, "{value}");
    }
}

#[test]
fn flags_ids_and_texts() {
    for yes in [json!(1), json!(true), json!("1"), json!("true"), json!("TRUE"), json!(1.0)] {
        assert_eq!(flag(&yes), Ok(Some(true)), "{yes}");
    }
    for no in [json!(0), json!(false), json!("0"), json!("False")] {
        assert_eq!(flag(&no), Ok(Some(false)), "{no}");
    }
    assert_eq!((flag(&json!(null)), flag(&json!(""))), (Ok(None), Ok(None)));
    assert_eq!((flag(&json!(2)), flag(&json!("maybe"))), (Err(Unreadable), Err(Unreadable)));

    assert_eq!((id(&json!("88111")), id(&json!(0)), id(&json!(-1))), (Ok(Some(88_111)), Ok(None), Err(Unreadable)));

    assert_eq!(text(&json!("  x ")).as_deref(), Some("  x "));
    assert_eq!(text(&json!(["a", "", 2])).as_deref(), Some("a,2"));
    assert_eq!((text(&json!("　 ")), text(&json!({})), text(&json!([]))), (None, None, None));
    assert_eq!(text(&json!(7)).as_deref(), Some("7"));
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,40}".prop_map(Value::from),
        "[-+0-9,./: TZ]{0,30}".prop_map(Value::from),
    ];
    leaf.prop_recursive(2, 8, 4, |inner| prop::collection::vec(inner, 0..4).prop_map(Value::from))
}

proptest! {
    #[test]
    fn no_value_is_too_odd_to_be_looked_at(value in any_json()) {
        let _ = (text(&value), whole(&value), id(&value), flag(&value), time(&value));
    }

    #[test]
    fn a_number_reads_the_same_in_every_spelling(number in -9_007_199_254_740_000_i64..9_007_199_254_740_000) {
        prop_assert_eq!(whole(&json!(number)), Ok(Some(number)));
        prop_assert_eq!(whole(&json!(number.to_string())), Ok(Some(number)));
        prop_assert_eq!(whole(&json!(format!(" {number}.00 "))), Ok(Some(number)));
        prop_assert_eq!(whole(&json!(number as f64)), Ok(Some(number)));
    }

    #[test]
    fn what_is_asked_with_is_read_back(second in 0_i64..4_000_000_000) {
        let moment = Timestamp::from_second(second).unwrap();
        prop_assert_eq!(time(&json!(request_time(moment))), Ok(Some(moment)));
        prop_assert_eq!(time(&json!(request_time(moment).replace('-', "/"))), Ok(Some(moment)));
    }
}
