// Package images knows how container images are named, and rewrites the names in
// manifests to another registry.
//
// RewriteStream edits the text of a YAML or JSON stream in place: only the bytes
// of image values change, so comments, order, quoting, anchors and line ends stay
// as their author wrote them. What came out is read again and compared with what
// went in before it is handed back.
//
// An image is renamed where it certainly is one: in pods, in what has containers like
// a pod, in such objects within a text, and where the options name it.
//
// Everything here is a pure function of its arguments. The package never asks a
// registry, never guesses: a string that only looks like an image is reported as
// a Suspect and left alone, as is all that a rule would rename.
package images
