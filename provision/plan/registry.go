package plan

import (
	"bytes"
	"net/netip"
	"slices"
	"strings"

	"fairlead/inventory"
	"fairlead/pki"
	"fairlead/provision/bundle"
	"fairlead/provision/desired"
	"fairlead/provision/facts"
	"fairlead/provision/ledger"
	"fairlead/templates"
)

func asksOfRegistry(state desired.State) facts.Query {
	query := facts.Query{
		Certificates: []string{templates.RegistryFolder + "/*.crt"},
		Units:        []string{templates.RegistryService, templates.RegistryWriterService},
	}
	if state.Cluster.Images.Host == "" {
		return query
	}
	query.Paths = bundled(state, bundle.Registry)
	for _, file := range templates.RegistryFiles() {
		query.Paths, query.Texts = append(query.Paths, file.Path), append(query.Texts, file.Path)
	}
	return query
}

// registry plans fairlead's own registry on its host, and what it must hold.
func (p *planner) registry(host inventory.Host, facts facts.Host) {
	if host.Name != p.Cluster.Images.Host {
		return
	}
	step := hostStep(host, StageSupply, stepRegistry, "install the registry "+p.version(bundle.Registry))
	change := service{
		unit: templates.RegistryService, facts: facts.Units[templates.RegistryService], running: true, files: templates.RegistryFiles(),
		install: p.installLayers(&step, facts, bundle.Registry),
		touched: append(ledger.Trees([]string{templates.RegistryStorage, templates.RegistryFolder}), ledger.Touch{Kind: ledger.Unit, Key: templates.RegistryWriterService}),
	}
	if facts.Units[templates.RegistryWriterService].Active == "active" {
		step.because("%s of an earlier run still runs", templates.RegistryWriterService)
		change.actions = append(change.actions, StopUnit(templates.RegistryWriterService))
	}
	if problem := p.registryCertificate(host, facts); problem != "" {
		step.because("the registry's certificate: %s", problem)
		change.actions = append(change.actions, MakeRegistryCertificate{Names: []string{host.Name}, Addresses: []netip.Addr{host.Address}})
	}
	p.service(&step, facts, change)
	p.add(step)
	p.fill(host, facts)
}

// registryCertificate says why the registry needs another certificate, or nothing.
func (p *planner) registryCertificate(host inventory.Host, facts facts.Host) string {
	return pki.ServerCertificateProblem(facts.RegistryCertificate, facts.RegistryCA,
		[]string{host.Name}, []netip.Addr{host.Address}, p.facts.ObservedAt)
}

// fill plans the upload of the images of the bundle that hosts pull.
func (p *planner) fill(host inventory.Host, facts facts.Host) {
	step := hostStep(host, StageSupply, stepFill, "fill the registry")
	step.Needs = []string{StepID(host.Name, stepRegistry)}
	var items []Upload
	for _, need := range p.Needs {
		if need.Bundled == nil || !p.OwnHolds(need) {
			continue
		}
		repository, tag, err := p.OwnRepository(need.Name)
		if err != nil {
			p.block(host.Name, step.Title, err.Error())
			return
		}
		if facts.RegistryImages[repository+":"+tag] == need.Bundled.Digest.String() {
			continue
		}
		step.because("the registry lacks %s", need.Name)
		items = append(items, Upload{From: need.Origin, Repository: repository, Tag: tag, Digest: need.Bundled.Digest, Size: need.Bundled.Size})
	}
	if len(items) > 0 {
		step.do(FillRegistry{Items: items})
	}
	p.add(step)
}

// asksOfRegistries asks for the files of registries that are not wanted any more, too.
func asksOfRegistries(state desired.State) facts.Query {
	query := facts.Query{
		PathPatterns: []string{templates.RegistryCertsFolder + "/*/*"},
		Texts:        []string{templates.RegistryCertsFolder + "/*/hosts.toml"},
	}
	for _, file := range state.RegistryFiles() {
		query.Paths = append(query.Paths, file.Path)
	}
	return query
}

// registries plans the files that say how containerd reaches registries. It reads them for
// each pull, so nothing is restarted.
func (p *planner) registries(host inventory.Host, facts facts.Host) {
	if p.ForeignRuntime() {
		return
	}
	step := hostStep(host, StagePrepare, "registries", "say how registries are reached")
	wanted := p.common.registries
	for _, file := range wanted {
		p.hostFile(&step, facts, file)
	}
	var kept []string
	for _, file := range wanted {
		kept = append(kept, file.Path)
	}
	if own := p.common.ownRegistry; own != "" {
		kept = append(kept, desired.CAFile(own))
		p.ownCA(&step, facts)
	}
	var stale []string
	for _, entry := range facts.Ledger {
		if entry.Kind == ledger.File && facts.Ours(entry.Key) && strings.HasPrefix(entry.Key, templates.RegistryCertsFolder+"/") && !slices.Contains(kept, entry.Key) {
			step.because("%s is no longer wanted", entry.Key)
			stale = append(stale, entry.Key)
		}
	}
	if len(stale) > 0 {
		step.do(RemoveFiles(stale))
	}
	if own := p.Cluster.Images.Host; own != "" {
		step.Needs = []string{StepID(own, stepRegistry)}
	}
	p.add(step)
}

// ownCA plans the copy of the CA of fairlead's own registry.
func (p *planner) ownCA(step *Step, facts facts.Host) {
	path := desired.CAFile(p.common.ownRegistry)
	own := p.Cluster.Images.Host
	from, ok := p.reached(own)
	switch {
	case !ok && facts.Files[path].SHA256 != "":
		return // it cannot be compared now
	case !ok:
		p.block(step.Host, step.Title, "the host of the registry, "+own+", "+p.facts.Away(own))
	case len(from.RegistryCA) == 0:
		step.because("%s is known after the registry was installed", path)
		step.do(CopyRegistryCA{From: own, Path: path})
	default:
		p.hostFile(step, facts, templates.HostFile{Path: path, Mode: 0o644, Content: normalPEM(from.RegistryCA)})
	}
}

// normalPEM ends a certificate as pki writes it: with one new line.
func normalPEM(text []byte) []byte { return append(bytes.TrimRight(text, "\n"), '\n') }
