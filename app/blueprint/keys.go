package blueprint

import "strconv"

// What each thing is known by.

func (p Priority) key() string    { return strconv.Itoa(p.Level) }
func (u User) key() string        { return u.Email }
func (t Team) key() string        { return t.Slug }
func (d Deployment) key() string  { return d.Slug }
func (s Schedule) key() string    { return s.Slug }
func (p Policy) key() string      { return p.Slug }
func (s Service) key() string     { return s.Slug }
func (i Integration) key() string { return i.Slug }
