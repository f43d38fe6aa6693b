using DomainSsl.Learning.FineTuning;
using static TorchSharp.torch;

namespace DomainSsl.Learning.Tests.FineTuning;

public sealed class SideBySideTests
{
    [Fact]
    public void Run_OneFails_TheOtherIsStopped_AndTheFailureIsTold()
    {
        var threads = get_num_threads();
        set_num_threads(2);
        try
        {
            using var both = new Barrier(2);
            var stopped = false;
            var thrown = Assert.Throws<LearningException>(() => SideBySide.Run([0, 1, 2], CPU, (piece, stop) =>
            {
                both.SignalAndWait(TestContext.Current.CancellationToken);
                if (piece == 0) throw new LearningException("The disk is full.");
                stopped = stop.WaitHandle.WaitOne(TimeSpan.FromSeconds(30));
                stop.ThrowIfCancellationRequested();
            }, TestContext.Current.CancellationToken));
            Assert.Equal("The disk is full.", thrown.Message);
            Assert.True(stopped);
        }
        finally
        {
            set_num_threads(threads);
        }
    }
}
