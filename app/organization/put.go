package organization

// Put creates a thing, or changes what is given of one that exists. T is one of
// the types of the Document's fields. A list that is given replaces the list.
// Names, time zones and kinds that are left empty get a default.
type Put[T any] struct {
	Value T
	Input Input
}

func (e *Put[T]) subject() (Kind, string) { return of[T]().subject(e.Value) }
func (e *Put[T]) check(c *checker)        { of[T]().checkPut(c, e) }
func (e *Put[T]) apply(d *draft)          { of[T]().put(d, e) }

func orDefault(value *string, otherwise string) {
	if *value == "" {
		*value = otherwise
	}
}
