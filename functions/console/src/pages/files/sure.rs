//! What a file would take, said before it takes anything: nothing brings its shipments back all at once.

use renkei_exchange::Made;

use super::{later, unwritten};
use crate::pages::confirm::{self, Question};
use crate::pages::{Form, Page};
use crate::shell::Shell;

/// The page that asks. Whoever is sure gets a file of what is ready then.
pub fn ask(shell: &Shell, form: Form, made: &Made) -> Page {
    let taken = shell.l(
        "いま条件に合う{}件の出荷を出荷準備中にして、ファイルを作ります。一括では戻せません。",
        "{} shipments are taken (to picking) and come into a file. They cannot be put back all at once.",
    );
    let mut said = vec![taken.replace("{}", &later::counted(made.rows.len()))];
    if !made.problems.is_empty() {
        let left_out = shell.l(
            "次の出荷は出力できないため、ファイルに入れません。出荷待ちのままです。",
            "What follows cannot be written: it is left out, and stays ready.",
        );
        said.push(left_out.to_owned());
    }
    said.extend(unwritten(shell, made));
    // A file comes without a new page: this one stays.
    let then = shell.l(
        "ファイルの保存が始まったら、「戻る」でファイル連携に戻ってください。",
        "Once the file is being saved, go back to the files.",
    );
    said.push(then.to_owned());
    let question = Question {
        title: shell.l("出荷準備中にして出力する", "Take them and make the file"),
        of: "",
        said,
        address: "/files/export",
        back: "/files",
    };
    confirm::ask(shell, form, question)
}

#[cfg(test)]
mod tests {
    use renkei_files::Problem;
    use renkei_files::export::{Rendered, Said};

    use super::*;

    #[test]
    fn what_would_be_taken_is_counted_and_the_choice_goes_on() {
        let shell = Shell { tenant: Some("hanako".into()), ..Shell::default() };
        let said = Said { detail: String::new(), shipping_method: None, ship_from: "dc".parse().unwrap() };
        let row = Rendered { id: "shop.5.1".parse().unwrap(), said, bytes: Vec::new() };
        let all = Made { rows: vec![row; 1_000], ..Made::default() };
        let said = |made: &Made| {
            let form = Form::read(b"csrf=x&what=claim&skip=1&ship_until=&set.yamato-b2.slip_type=0");
            ask(&shell, form, made).unwrap().0
        };
        let page = said(&all);
        assert!(page.contains("1,000件の出荷を出荷準備中に") && !page.contains("出力できないため"), "{page}");
        for (name, value) in [("what", "claim"), ("skip", "1"), ("ship_until", ""), ("set.yamato-b2.slip_type", "0")] {
            assert!(page.contains(&format!("name=\"{name}\" value=\"{value}\"")), "{name}: {page}");
        }
        let problem = Problem { row: 0, shipment: "shop.9.1".into(), column: String::new(), what: "on-hold".into() };
        let page = said(&Made { problems: vec![problem], later: 3, more: true, ..all });
        for sentence in ["出力できないため", "shop.9.1: 保留中です。", "出荷が3件あります", "まだ確認していない出荷"]
        {
            assert!(page.contains(sentence), "{sentence}: {page}");
        }
    }
}
