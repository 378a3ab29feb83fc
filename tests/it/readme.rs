//! The README against what it describes.
