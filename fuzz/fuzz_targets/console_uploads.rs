#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| (renkei_fuzz::target("console_uploads").run)(input));
