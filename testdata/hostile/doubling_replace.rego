s0 := "aa"
s1 := replace(s0, "a", s0)
s2 := replace(s1, "a", s1)
s3 := replace(s2, "a", s2)
s4 := replace(s3, "a", s3)
s5 := replace(s4, "a", s4)
s6 := replace(s5, "a", s5)
s7 := replace(s6, "a", s6)

deny contains {"msg": s7} if input.estate.name
