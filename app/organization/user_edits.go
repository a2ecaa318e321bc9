package organization

// SetProfile gives a person another name and time zone; an empty zone is the
// organisation's.
type SetProfile struct {
	Email    string
	Name     string
	Timezone string
	// Path begins the paths of problems; a form whose fields are called name and
	// timezone leaves it empty.
	Path string
}

// SetName gives a person another name. The time zone stays as it is, even one
// that is no longer valid.
type SetName struct {
	Email string
	Name  string
	// Path begins the paths of problems; a form whose field is called name leaves
	// it empty.
	Path string
}

// SetRole gives a person another role.
type SetRole struct {
	Email string
	Role  string
	Path  string // of problems; empty for "users[ana@acme.example].role"
}

// SetActive takes a person out of service, who can then neither sign in nor be
// paged, or takes them back.
type SetActive struct {
	Email  string
	Active bool
}

func (e *SetProfile) subject() (Kind, string) { return KindUser, e.Email }
func (e *SetName) subject() (Kind, string)    { return KindUser, e.Email }
func (e *SetRole) subject() (Kind, string)    { return KindUser, e.Email }
func (e *SetActive) subject() (Kind, string)  { return KindUser, e.Email }

func (e *SetProfile) check(c *checker) {
	c.source = everything{}
	normalizeAddress(&e.Email)
	c.givenName(join(e.Path, "name"), e.Name)
	c.zone(join(e.Path, "timezone"), e.Timezone, true)
}

func (e *SetProfile) apply(d *draft) {
	if v := existing[User](d, e.Email, e.Path); v != nil {
		v.Name, v.Timezone = e.Name, e.Timezone
	}
}

func (e *SetName) check(c *checker) {
	c.source = everything{}
	normalizeAddress(&e.Email)
	c.givenName(join(e.Path, "name"), e.Name)
}

func (e *SetName) apply(d *draft) {
	if v := existing[User](d, e.Email, e.Path); v != nil {
		v.Name = e.Name
	}
}

func (e *SetRole) path() string {
	if e.Path != "" {
		return e.Path
	}
	return pathOf(KindUser, e.Email) + ".role"
}

func (e *SetRole) check(c *checker) {
	c.source = everything{}
	normalizeAddress(&e.Email)
	c.role(e.path(), e.Role)
}

func (e *SetRole) apply(d *draft) {
	if v := existing[User](d, e.Email, e.path()); v != nil {
		v.Role = e.Role
	}
}

func (e *SetActive) check(*checker) { normalizeAddress(&e.Email) }

func (e *SetActive) apply(d *draft) {
	if v := existing[User](d, e.Email, pathOf(KindUser, e.Email)); v != nil {
		v.Deactivated = !e.Active
	}
}
