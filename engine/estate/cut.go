package estate

// cut takes the value of a member out of a JSON object: it returns the object
// with null in its place, and the value. Where the object is not plain enough to
// be sure (the member twice, brackets that do not match, text after the end), it
// returns the line as it is and nil, for the real decoder to judge.
//
// It does not check that the JSON is valid: both parts are decoded afterwards.
func cut(line []byte, member string) (rest, value []byte) {
	from, to := -1, -1
	depth, i := 0, 0
	for i < len(line) {
		switch line[i] {
		case '{', '[':
			depth++
			i++
		case '}', ']':
			depth--
			i++
			if depth == 0 && i != len(line) {
				return line, nil
			}
		case '"':
			end := stringEnd(line, i)
			if end < 0 {
				return line, nil
			}
			start := i + 1
			i = end + 1
			if depth != 1 || string(line[start:end]) != member {
				continue
			}
			at, ok := valueAt(line, i)
			if !ok {
				continue // a value, not a key
			}
			stop := valueEnd(line, at)
			if from >= 0 || stop < 0 {
				return line, nil
			}
			from, to = at, stop
			i = stop
		default:
			i++
		}
	}
	if from < 0 || depth != 0 {
		return line, nil
	}
	rest = make([]byte, 0, len(line)-(to-from)+4)
	rest = append(rest, line[:from]...)
	rest = append(rest, "null"...)
	return append(rest, line[to:]...), line[from:to]
}

// stringEnd returns the place of the quote that closes the string begun at i.
func stringEnd(line []byte, i int) int {
	for i++; i < len(line); i++ {
		switch line[i] {
		case '\\':
			i++
		case '"':
			return i
		}
	}
	return -1
}

// valueAt passes over a colon and white space; false when there is no colon.
func valueAt(line []byte, i int) (int, bool) {
	colon := false
	for ; i < len(line); i++ {
		switch line[i] {
		case ' ', '\t', '\r', '\n':
		case ':':
			if colon {
				return 0, false
			}
			colon = true
		default:
			return i, colon
		}
	}
	return 0, false
}

// valueEnd returns the end of a list, -1 when none begins at i or it has none.
func valueEnd(line []byte, i int) int {
	if line[i] != '[' {
		return -1
	}
	depth := 0
	for i < len(line) {
		switch line[i] {
		case '{', '[':
			depth++
		case '}', ']':
			depth--
			if depth == 0 {
				return i + 1
			}
		case '"':
			end := stringEnd(line, i)
			if end < 0 {
				return -1
			}
			i = end
		}
		i++
	}
	return -1
}
