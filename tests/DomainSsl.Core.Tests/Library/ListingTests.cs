using DomainSsl.Core.Library;

namespace DomainSsl.Core.Tests.Library;

public sealed class ListingTests
{
    private static readonly List<long> Order = [.. Enumerable.Range(1, 500).OrderBy(i => i * 7919 % 503).Select(i => (long)i)];

    [Theory]
    [InlineData(false, 0)]
    [InlineData(true, 0)]
    [InlineData(true, 60)]
    [InlineData(false, 120)]
    [InlineData(false, 1000)]
    public async Task Page_AnywhereInAnyDirection_IsTheSliceOfWhatTheFilterLetsThrough(bool descending, int skip)
    {
        var listing = new Listing<StudySort>();
        List<long> through = [.. Order.Where(i => i % 4 == 0).Order()];
        var (ids, total) = await listing.PageAsync("1", StudySort.Date, descending, "fours", skip, 10, () => Task.FromResult(Order.ToList()), () => Task.FromResult(through));
        var expected = Order.Where(i => i % 4 == 0);
        Assert.Equal((descending ? expected.Reverse() : expected).Skip(skip).Take(10), ids);
        Assert.Equal(125, total);
        var (all, count) = await listing.PageAsync("1", StudySort.Date, descending, null, skip, 10, () => throw new InvalidOperationException("read twice"), () => throw new InvalidOperationException());
        Assert.Equal((descending ? Order.AsEnumerable().Reverse() : Order).Skip(skip).Take(10), all);
        Assert.Equal(500, count);
    }

    [Fact]
    public async Task Page_OfAnotherState_IsReadAnew_AndAnIdThatCameMeanwhileIsNoFault()
    {
        var listing = new Listing<StudySort>();
        Task<(IReadOnlyList<long> Ids, int Total)> Page(string state, List<long> order, List<long> through) =>
            listing.PageAsync(state, StudySort.Imported, false, "f", 0, 10, () => Task.FromResult(order), () => Task.FromResult(through));
        Assert.Equal([1, 2], (await Page("1", [1, 2], [1, 2])).Ids);
        Assert.Equal([1, 2], (await Page("1", [1, 2, 3], [1, 2, 3])).Ids);
        Assert.Equal([1, 3], (await Page("2", [1, 2, 3, 400], [3, 1])).Ids);
    }
}
