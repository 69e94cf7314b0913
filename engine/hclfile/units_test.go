package hclfile

import (
	"math/rand/v2"
	"testing"
	"time"
)

func TestParseDuration(t *testing.T) {
	tests := []struct {
		in   string
		want time.Duration // -1: refused
	}{
		{"90m", 90 * time.Minute},
		{"4h", 4 * time.Hour},
		{"7d", 7 * 24 * time.Hour},
		{"2w", 14 * 24 * time.Hour},
		{"1d12h", 36 * time.Hour},
		{"1w1d1h1m1s", 8*24*time.Hour + time.Hour + time.Minute + time.Second},
		{"0s", 0},
		{"0d", 0},
		{"007m", 7 * time.Minute},
		{"106751d", 106751 * 24 * time.Hour},
		{"", -1}, {"h", -1}, {"4", -1}, {"4 h", -1}, {"-4h", -1}, {"+4h", -1}, {"1.5h", -1}, {"4H", -1},
		{"1h1d", -1}, {"1h1h", -1}, {"1ms", -1}, {"1y", -1}, {"٣h", -1}, {"4hours", -1}, {"1e3s", -1},
		{"106752d", -1}, {"99999999999999999999s", -1}, {"15250w106751d", -1},
	}
	for _, tt := range tests {
		got, err := ParseDuration(tt.in)
		if (err != nil) != (tt.want < 0) || err == nil && got != tt.want {
			t.Errorf("ParseDuration(%q) = %v, %v, want %v", tt.in, got, err, tt.want)
		}
	}
}

func TestDurationRoundTrip(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	for range 5000 {
		d := time.Duration(rng.Int64N(1<<uint(1+rng.IntN(32)))) * time.Second
		text := FormatDuration(d)
		if got, err := ParseDuration(text); err != nil || got != d {
			t.Fatalf("ParseDuration(FormatDuration(%v)) = ParseDuration(%q) = %v, %v", d, text, got, err)
		}
	}
	for d, want := range map[time.Duration]string{7 * 24 * time.Hour: "7d", 36 * time.Hour: "36h", 90 * time.Minute: "90m", 0: "0s", -time.Hour: "0s",
		1500 * time.Millisecond: "1s", 999 * time.Millisecond: "0s"} {
		if got := FormatDuration(d); got != want {
			t.Errorf("FormatDuration(%v) = %q, want %q", d, got, want)
		}
	}
}

func TestParseShare(t *testing.T) {
	tests := []struct {
		in   string
		want float64 // -1: refused
	}{
		{"5%", 0.05}, {"2.5%", 0.025}, {"100%", 1}, {"0%", 0}, {"0.01%", 0.0001},
		{"", -1}, {"%", -1}, {"5", -1}, {"0.05", -1}, {"-5%", -1}, {"+5%", -1}, {"101%", -1}, {"1e2%", -1}, {"5 %", -1}, {"5%%", -1}, {"NaN%", -1}, {"Inf%", -1}, {"1.2.3%", -1}, {".%", -1}, {"0x5%", -1},
	}
	for _, tt := range tests {
		got, err := ParseShare(tt.in)
		if (err != nil) != (tt.want < 0) || err == nil && got != tt.want {
			t.Errorf("ParseShare(%q) = %v, %v, want %v", tt.in, got, err, tt.want)
		}
	}
}

func TestParseTime(t *testing.T) {
	tests := []struct{ in, want string }{
		{"2026-03-05T00:00:00Z", "2026-03-05T00:00:00Z"},
		{"2026-03-05T01:00:00+01:00", "2026-03-05T00:00:00Z"},
		{"2026-03-05T00:00:00.5Z", ""}, {"2026-03-05", ""}, {"2026-03-05 00:00:00Z", ""}, {"2026-02-30T00:00:00Z", ""}, {"", ""},
	}
	for _, tt := range tests {
		got, err := ParseTime(tt.in)
		if (err != nil) != (tt.want == "") || err == nil && got.Format(time.RFC3339) != tt.want {
			t.Errorf("ParseTime(%q) = %v, %v, want %q", tt.in, got, err, tt.want)
		}
	}
}

func FuzzParseDuration(f *testing.F) {
	f.Add("1w2d")
	f.Add("90m")
	f.Fuzz(func(t *testing.T, s string) {
		d, err := ParseDuration(s)
		if err != nil {
			return
		}
		if d < 0 {
			t.Fatalf("ParseDuration(%q) = %v", s, d)
		}
		if again, err := ParseDuration(FormatDuration(d)); err != nil || again != d {
			t.Fatalf("%q: %v written as %q reads as %v, %v", s, d, FormatDuration(d), again, err)
		}
	})
}
