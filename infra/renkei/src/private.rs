//! Files and directories that hold customers' data: nobody else on the machine may read them, whatever mask the operator's
//! shell has.

use std::fs::{DirBuilder, File};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::Path;

/// A new file to write to. One that is there already stays as it is, and so does what a link of that name leads to.
pub fn create_new(path: &Path) -> io::Result<File> {
    File::options().write(true).create_new(true).mode(0o600).open(path)
}

/// Makes the directory, and those above it that are missing. One that is there keeps the mode that it has.
pub fn directory(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn nobody_else_reads_what_is_written() {
        let root = std::env::temp_dir().join(format!("renkei-private-{}", std::process::id()));
        let (folder, file) = (root.join("exported"), root.join("exported/orders.jsonl"));
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        directory(&folder).unwrap();
        drop(create_new(&file).unwrap());
        assert_eq!((mode(&root), mode(&folder), mode(&file)), (0o700, 0o700, 0o600));
        directory(&folder).unwrap();
        assert_eq!(create_new(&file).unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        std::fs::remove_dir_all(&root).unwrap();
    }
}
