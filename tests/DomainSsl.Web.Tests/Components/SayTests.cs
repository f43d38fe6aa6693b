using DomainSsl.Web.Components.Shared;

namespace DomainSsl.Web.Tests.Components;

public sealed class SayTests
{
    [Theory]
    [InlineData(0.912, 0.945, 3)]
    [InlineData(0.90, 0.96, 3)]
    [InlineData(0.1, 0.9, 2)]
    [InlineData(0.9551, 0.9559, 3)]
    public void Digits_Interval_ShowsItsWidthInTwoPlacesButNeverMoreThanThree(double low, double high, int digits) => Assert.Equal(digits, Say.Digits(low, high));

    [Fact]
    public void Digits_WideInterval_GivesFewerThanNarrow() => Assert.True(Say.Digits(0.1, 0.9) < Say.Digits(0.90, 0.91));

    [Theory]
    [InlineData(-0.031, 2, true, "−0.03")]
    [InlineData(0.031, 2, true, "+0.03")]
    [InlineData(-0.0001, 2, true, "0.00")]
    [InlineData(0.5, 1, false, "0.5")]
    public void Figure_Signed_ShowsASignOnlyWhereThereIsADifference(double value, int digits, bool signed, string said) => Assert.Equal(said, Say.Figure(value, digits, signed));

    [Theory]
    [InlineData(0, "no images")]
    [InlineData(1, "1 image")]
    [InlineData(1204, "1,204 images")]
    public void Count_Number_IsSaidAsPeopleDo(long number, string said) => Assert.Equal(said, Say.Count(number, "image"));

    [Fact]
    public void Ago_LastMinute_IsJustNow() => Assert.Equal("just now", Say.Ago(DateTime.UtcNow.AddSeconds(-20)));
}
