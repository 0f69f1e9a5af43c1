package cli

import (
	"context"
	"os"
)

// jobControl does nothing: Windows has no such thing.
type jobControl struct{ continued chan os.Signal }

func watchJobs() *jobControl { return &jobControl{} }

func (j *jobControl) stop()                   {}
func (j *jobControl) suspend(context.Context) {}
func (j *jobControl) forget()                 {}
