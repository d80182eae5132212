package templates

import (
	_ "embed"
	"strings"
)

//go:embed host/kubernetes.repo
var kubernetesRepo string

//go:embed host/docker-ce.repo
var dockerRepo string

// PackageRepository is a repository of packages as one host knows it.
type PackageRepository struct {
	Title string // whose it is, for people
	// Files are its definition, and its key if that is given.
	Files []HostFile
	// Name is how the script of the package manager is told of it.
	Name string
	// KeyURL is from where its key has to be fetched to KeyPath, which is done over TLS; empty
	// when the key is given, or when the package manager itself fetches it.
	KeyURL, KeyPath string
}

// RepositorySource is where a repository is.
type RepositorySource struct {
	URL string // without a slash at the end
	Key []byte // armored OpenPGP key; nil: to be fetched
}

// KubernetesRepository is the Kubernetes project's repository of one minor, such as 1.37, or a
// mirror of it (kubernetes.io, "Installing kubeadm"). The files have the names that the project's
// own instructions give them, so that a host does not get a second one.
func (f Family) KubernetesRepository(source RepositorySource, minor string) PackageRepository {
	url := source.URL + "/v" + minor
	if f.Manager == Apt {
		return aptRepository("Kubernetes", "kubernetes", "/etc/apt/keyrings/kubernetes-apt-keyring.asc", url+"/deb/ /", url+"/deb/Release.key", source.Key)
	}
	return dnfRepository("Kubernetes", kubernetesRepo, "kubernetes", "/etc/yum.repos.d/kubernetes.repo", "/etc/pki/rpm-gpg/RPM-GPG-KEY-kubernetes",
		url+"/rpm/", url+"/rpm/repodata/repomd.xml.key", source.Key)
}

// DockerRepository is Docker's repository for an operating system, or a mirror of it
// (docs.docker.com/engine/install). codename is the release's, which apt's have.
func (f Family) DockerRepository(source RepositorySource, codename string) PackageRepository {
	url := source.URL + "/" + f.DockerPath
	if f.Manager == Apt {
		return aptRepository("Docker", "docker", "/etc/apt/keyrings/docker.asc", url+" "+codename+" stable", url+"/gpg", source.Key)
	}
	return dnfRepository("Docker", dockerRepo, "docker-ce-stable", "/etc/yum.repos.d/docker-ce.repo", "/etc/pki/rpm-gpg/RPM-GPG-KEY-docker",
		url+"/$releasever/$basearch/stable", url+"/gpg", source.Key)
}

func aptRepository(title, name, key, where, keyURL string, given []byte) PackageRepository {
	list := "/etc/apt/sources.list.d/" + name + ".list"
	repository := PackageRepository{Title: title, Name: list, KeyURL: keyURL, KeyPath: key}
	if given != nil {
		repository.Files = append(repository.Files, HostFile{Path: key, Mode: 0o644, Content: given})
		repository.KeyURL = ""
	}
	text := "# Written by fairlead.\ndeb [signed-by=" + key + "] " + where + "\n"
	repository.Files = append(repository.Files, HostFile{Path: list, Mode: 0o644, Content: []byte(text)})
	return repository
}

// dnfRepository leaves fetching the key to dnf, unless it is given.
func dnfRepository(title, text, name, path, key, url, keyURL string, given []byte) PackageRepository {
	repository := PackageRepository{Title: title, Name: name}
	if given != nil {
		repository.Files = append(repository.Files, HostFile{Path: key, Mode: 0o644, Content: given})
		keyURL = "file://" + key
	}
	text = strings.NewReplacer("@URL@", url, "@KEY@", keyURL).Replace(text)
	repository.Files = append(repository.Files, HostFile{Path: path, Mode: 0o644, Content: []byte(text)})
	return repository
}
