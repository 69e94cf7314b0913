package policy

type set struct{}
