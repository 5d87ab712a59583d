// Command note reads what our log has made with other people's code: golang.org/x/mod/sumdb/note for signed
// notes, sumdb/tlog for trees and proofs, transparency-dev/formats for cosignatures.
//
// It takes one JSON document on standard input, and prints "ok", or what it does not accept.
package main

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/transparency-dev/formats/note"
	sumdb "golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

type proof struct {
	From, To, Index int64
	OldRoot, Root   []byte
	Leaf            []byte
	Hashes          [][]byte
}

type input struct {
	Note        string
	Key         string
	Witness     string
	Leaves      [][]byte
	Inclusion   []proof
	Consistency []proof
}

func main() {
	var in input
	if err := json.NewDecoder(os.Stdin).Decode(&in); err != nil {
		fail("input: %v", err)
	}
	log, err := sumdb.NewVerifier(in.Key)
	if err != nil {
		fail("key: %v", err)
	}
	verifiers := []sumdb.Verifier{log}
	if in.Witness != "" {
		witness, err := note.NewVerifierForCosignatureV1(in.Witness)
		if err != nil {
			fail("witness: %v", err)
		}
		verifiers = append(verifiers, witness)
	}
	opened, err := sumdb.Open([]byte(in.Note), sumdb.VerifierList(verifiers...))
	if err != nil {
		fail("note: %v", err)
	}
	if len(opened.Sigs) != len(verifiers) {
		fail("note: %d signatures", len(opened.Sigs))
	}
	size, root := checkpoint(opened.Text)
	if int64(len(in.Leaves)) != size {
		fail("size: %d entries, signed %d", len(in.Leaves), size)
	}
	if found := treeHash(in.Leaves); size > 0 && found != root {
		fail("root: %v, signed %v", found, root)
	}
	for _, one := range in.Inclusion {
		if err := tlog.CheckRecord(hashes(one.Hashes), one.To, hash(one.Root), one.Index, tlog.RecordHash(one.Leaf)); err != nil {
			fail("inclusion of %d in %d: %v", one.Index, one.To, err)
		}
	}
	for _, one := range in.Consistency {
		if err := tlog.CheckTree(hashes(one.Hashes), one.To, hash(one.Root), one.From, hash(one.OldRoot)); err != nil {
			fail("consistency of %d and %d: %v", one.From, one.To, err)
		}
	}
	fmt.Println("ok")
}

func checkpoint(text string) (int64, tlog.Hash) {
	lines := strings.Split(text, "\n")
	if len(lines) < 4 {
		fail("checkpoint: %d lines", len(lines))
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil {
		fail("checkpoint: %v", err)
	}
	root, err := base64.StdEncoding.DecodeString(lines[2])
	if err != nil {
		fail("checkpoint: %v", err)
	}
	return size, hash(root)
}

func treeHash(leaves [][]byte) tlog.Hash {
	var stored []tlog.Hash
	read := tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		found := make([]tlog.Hash, len(indexes))
		for at, index := range indexes {
			found[at] = stored[index]
		}
		return found, nil
	})
	for at, leaf := range leaves {
		more, err := tlog.StoredHashes(int64(at), leaf, read)
		if err != nil {
			fail("tree: %v", err)
		}
		stored = append(stored, more...)
	}
	root, err := tlog.TreeHash(int64(len(leaves)), read)
	if err != nil {
		fail("tree: %v", err)
	}
	return root
}

func hash(raw []byte) (found tlog.Hash) {
	if len(raw) != len(found) {
		fail("a hash of %d bytes", len(raw))
	}
	copy(found[:], raw)
	return found
}

func hashes(raws [][]byte) []tlog.Hash {
	found := make([]tlog.Hash, len(raws))
	for at, raw := range raws {
		found[at] = hash(raw)
	}
	return found
}

func fail(format string, values ...any) {
	fmt.Fprintf(os.Stderr, format+"\n", values...)
	os.Exit(1)
}
