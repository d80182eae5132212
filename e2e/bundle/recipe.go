package bundle

// recipe is everything that decides what a bundle holds.
type recipe struct {
	Kubernetes string // version of the cluster, without "v"
	Arch       string // of binaries and images, in Go's words
	Sets       []set  // built in this order
	Base       base
	Components []component
	Images     []image
	Required   query
}

// set is a Go module under the modules folder and the binaries that it pins.
type set struct {
	Name string // of the folder
	// Product are the sources, relative to its root, of a set of fairlead's own module: that
	// is built instead of a folder of Name. A folder stands for all that is in it.
	Product []string `json:",omitempty"`
	// Copies are changed copies of modules that go.mod replaces by folders.
	Copies   []moduleCopy `json:",omitempty"`
	Binaries []binary
	CGO      bool
	Tags     []string
	LDFlags  []string // added to "-s -w"
	Needs    []string // Debian packages that the build needs
	Checks   []check  // run on the built binaries before they are cached
}

// moduleCopy is a copy of a module in a folder beside go.mod, which is not committed. The files
// in FOLDER.files, which are, take the place of what is dropped.
type moduleCopy struct {
	Folder  string
	Module  string // PATH@VERSION
	Dropped []string
}

// binary is a main package and the name that its program gets.
type binary struct {
	Name    string
	Package string
}

// check runs a built binary; its output must contain Want.
type check struct {
	Binary string
	Args   []string
	Want   string
}

// base is a Debian root file system that images may stand on.
type base struct {
	Suite    string // empty when no image needs a base
	Variant  string
	Packages []string
	Needs    []string // Debian packages that the build needs
	Exclude  []string // paths that the root goes without, as dpkg's path-exclude
	Drop     []string // patterns of paths that images go without; with a slash at the end, what lies below
}

// file is a binary of a set and the absolute path that it gets.
type file struct {
	Set  string
	Path string // its last element is the binary's name
}

// component is a set of binaries that are installed on hosts, in layers.
type component struct {
	Name    string
	Version string // without "v"
	Layers  [][]file
}

// image is a container image of one layer of binaries, on the base or on nothing.
type image struct {
	Name       string // as upstream names it
	OnBase     bool
	Files      []file
	Entrypoint []string
	User       string
	Roles      []string
	Addon      string `json:",omitempty"` // that needs it, if no role does
}

// query is a command of a set that prints references of images, one a line, which the
// bundle must hold. An empty Set asks nothing.
type query struct {
	Set    string
	Binary string
	Args   []string
}

// layerPerFile puts each file into a layer of its own, so that a host that lacks one
// binary fetches just that.
func layerPerFile(files []file) [][]file {
	layers := make([][]file, 0, len(files))
	for _, f := range files {
		layers = append(layers, []file{f})
	}
	return layers
}

// at places binaries of a set into one folder.
func at(set, folder string, names ...string) []file {
	files := make([]file, 0, len(names))
	for _, name := range names {
		files = append(files, file{Set: set, Path: folder + "/" + name})
	}
	return files
}
