// Package bundle builds the offline bundle of fairlead/provision/bundle from source:
// the binaries from the Go modules under e2e/modules, the images from those binaries
// and a small Debian root.
//
// What is built is a table (the recipe); everything made is cached by the hash of what
// it was made from, so that a change to one module builds that module and assembles the
// bundle anew, and nothing else. A cached entry appears whole or not at all. Other packages
// keep in the same cache what they make of the programs.
//
// The package never talks to a lab host or to a container registry, and writes nothing
// outside its cache folder, but for Debian packages that it installs when it runs as root.
package bundle
