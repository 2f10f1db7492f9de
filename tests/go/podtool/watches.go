package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/spf13/cobra"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// ticker counts the ticks of a goroutine beside the others, and the longest time between two.
type ticker struct {
	ticks, longest atomic.Int64
}

func (t *ticker) run(ctx context.Context) {
	last := time.Now()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			now := time.Now()
			t.longest.Store(max(t.longest.Load(), int64(now.Sub(last)/time.Millisecond)))
			t.ticks.Add(1)
			last = now
		}
	}
}

// watch prints the changes of pods, while one goroutine ticks and another lists.
func (t *tool) watch() *cobra.Command {
	var events int
	var duration time.Duration
	command := &cobra.Command{Use: "watch", RunE: func(cmd *cobra.Command, _ []string) error {
		_, set, namespace, err := t.client()
		if err != nil {
			return err
		}
		ctx, cancel := context.WithTimeout(cmd.Context(), duration)
		defer cancel()
		watch, err := set.CoreV1().Pods(namespace).Watch(ctx, metav1.ListOptions{})
		if err != nil {
			return err
		}
		defer watch.Stop()
		var beside ticker
		go beside.run(ctx)
		var lists atomic.Int64
		go func() {
			for ctx.Err() == nil {
				if _, err := set.CoreV1().Pods(namespace).List(ctx, metav1.ListOptions{}); err == nil {
					lists.Add(1)
				}
				time.Sleep(100 * time.Millisecond)
			}
		}()
		seen := 0
		for event := range watch.ResultChan() {
			pod, ok := event.Object.(*corev1.Pod)
			if !ok {
				return fmt.Errorf("%s with a %T", event.Type, event.Object)
			}
			fmt.Fprintf(t.Out, "%s\t%s\t%s\n", event.Type, pod.Name, pod.Status.Phase)
			if seen++; seen == events {
				break
			}
		}
		fmt.Fprintln(t.Out, "ticked:", beside.ticks.Load() > 0, "listed:", lists.Load() > 0)
		fmt.Fprintf(t.ErrOut, "%d ticks, at most %d ms apart; %d lists\n", beside.ticks.Load(), beside.longest.Load(), lists.Load())
		return nil
	}}
	command.Flags().IntVar(&events, "events", 0, "")
	command.Flags().DurationVar(&duration, "for", 5*time.Second, "")
	return command
}

const (
	sequence = "sequence"
	last     = "last"
)

// count watches a ConfigMap that churn writes, and reports how many of its changes arrived.
func (t *tool) count() *cobra.Command {
	return &cobra.Command{Use: "count NAME", Args: cobra.ExactArgs(1), RunE: func(cmd *cobra.Command, arguments []string) error {
		_, set, namespace, err := t.client()
		if err != nil {
			return err
		}
		watch, err := set.CoreV1().ConfigMaps(namespace).Watch(cmd.Context(), metav1.SingleObject(metav1.ObjectMeta{Name: arguments[0]}))
		if err != nil {
			return err
		}
		defer watch.Stop()
		events, next := 0, 0
		var begun time.Time
		for event := range watch.ResultChan() {
			config, ok := event.Object.(*corev1.ConfigMap)
			if !ok {
				return fmt.Errorf("%s with a %T", event.Type, event.Object)
			}
			number, err := strconv.Atoi(config.Data[sequence])
			if err != nil {
				continue
			}
			if events == 0 {
				begun, next = time.Now(), number
			}
			if number != next {
				return fmt.Errorf("%d came instead of %d", number, next)
			}
			events, next = events+1, next+1
			if config.Data[last] == "true" {
				rate := float64(events) / time.Since(begun).Seconds()
				fmt.Fprintf(t.Out, "%d changes, none lost\n", events)
				fmt.Fprintf(t.ErrOut, "%.0f a second\n", rate)
				return nil
			}
		}
		return errors.New("the watch ended")
	}}
}

// churn changes a ConfigMap, as often as asked and as the server allows.
func (t *tool) churn() *cobra.Command {
	var changes, rate int
	command := &cobra.Command{Use: "churn NAME", Args: cobra.ExactArgs(1), RunE: func(cmd *cobra.Command, arguments []string) error {
		_, set, namespace, err := t.client()
		if err != nil {
			return err
		}
		maps := set.CoreV1().ConfigMaps(namespace)
		config := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: arguments[0]}, Data: map[string]string{}}
		maps.Delete(cmd.Context(), arguments[0], metav1.DeleteOptions{})
		if config, err = maps.Create(cmd.Context(), config, metav1.CreateOptions{}); err != nil {
			return err
		}
		begun := time.Now()
		for i := range changes {
			time.Sleep(time.Until(begun.Add(time.Duration(i) * time.Second / time.Duration(rate))))
			config.Data = map[string]string{sequence: strconv.Itoa(i), last: strconv.FormatBool(i+1 == changes)}
			if config, err = maps.Update(cmd.Context(), config, metav1.UpdateOptions{}); err != nil {
				return err
			}
		}
		fmt.Fprintf(t.ErrOut, "%d changes, %.0f a second\n", changes, float64(changes)/time.Since(begun).Seconds())
		return nil
	}}
	command.Flags().IntVar(&changes, "changes", 10000, "")
	command.Flags().IntVar(&rate, "rate", 1000, "")
	return command
}
