package main

import "os"

func replace(program string, args []string) (code int, err error) {
	child, err := os.StartProcess(program, args, &os.ProcAttr{Files: []*os.File{os.Stdin, os.Stdout, os.Stderr}})
	if err != nil {
		return 0, err
	}
	state, err := child.Wait()
	if err != nil {
		return 0, err
	}
	return state.ExitCode(), nil
}
