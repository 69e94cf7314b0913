package estate

func (r *reader) advisories() {}
